/* Stands where camera.c would be, in a build without libcamera (make LIBCAMERA=0). */
#include "camera.h"

#include "msg.h"

const char camera_about[] = "not built in (LIBCAMERA=0)";

int camera_list(uint32_t silence_s)
{
	(void)silence_s;
	return EXIT_OK;
}

int camera_open(const struct camera_options *o, unsigned encoder_formats, const struct stop *stop,
        struct source **out)
{
	(void)o;
	(void)encoder_formats;
	(void)stop;
	(void)out;
	msg("no camera: not built in (LIBCAMERA=0): -T makes a test pattern, -i FILE reads YUV4MPEG2");
	return EXIT_USAGE;
}
