/* libcamera: the C++ library behind functions that C can call. One process has one camera manager and opens
 * one camera, so there is no handle. Cameras are numbered as found, from 0.
 *
 * Functions that return int give 0, or a negative errno, unless said otherwise. All are called by one thread,
 * but for libcamera_queue(), which any thread may call. libcamera_begin() starts threads, of the library's
 * own. */
#ifndef CAM_LIBCAMERA_H
#define CAM_LIBCAMERA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	LIBCAMERA_NAME_BYTES = 32,
	LIBCAMERA_PLANES_MAX = 3,
	LIBCAMERA_VALUES_MAX = 2,
};

struct libcamera_format {
	uint32_t fourcc; /* DRM's */
	char name[LIBCAMERA_NAME_BYTES];
};

struct libcamera_size {
	uint32_t width, height;
};

/* What is asked for, and what it became. */
struct libcamera_config {
	uint32_t fourcc, width, height, stride, buffers;
	bool hflip, vflip, transpose; /* upright is none of them */
	/* after validation: colour_primaries, transfer_characteristics, matrix_coefficients (H.264 tables E-3
	 * to E-5); 0 not said */
	uint8_t primaries, transfer, matrix;
	bool full_range;
	char format[LIBCAMERA_NAME_BYTES]; /* after validation: of fourcc */
};

/* Limits of a control; without them min is above max. */
struct libcamera_range {
	double min, max;
};

struct libcamera_plane {
	int fd; /* a DMABUF */
	uint32_t offset, bytes;
};

struct libcamera_frame {
	unsigned buffer;
	bool good;            /* else the driver says that the picture is broken */
	uint32_t sequence;    /* the driver's number */
	int64_t timestamp_ns; /* the sensor's */
};

/* Called by a thread of libcamera, which must not be held up. */
struct libcamera_events {
	void (*frame)(void *owner, const struct libcamera_frame *);
	void (*gone)(void *owner); /* the camera was unplugged */
	void *owner;
};

/* Looks for cameras. Log lines of libcamera are kept for libcamera_log(): errors, or with verbose all that it
 * writes. */
int libcamera_begin(bool verbose);
const char *libcamera_version(void);
unsigned libcamera_count(void);
/* Lent. A model may be empty. */
const char *libcamera_id(unsigned camera);
const char *libcamera_model(unsigned camera);
/* Makes this the camera that the functions below are about. */
int libcamera_choose(unsigned camera);
/* The formats for video and their sizes, at most max: how many there are. Where there are no single sizes,
 * they are the smallest and the largest one. */
unsigned libcamera_formats(struct libcamera_format out[], unsigned max);
unsigned libcamera_sizes(uint32_t fourcc, struct libcamera_size out[], unsigned max);
/* -ENOENT when the camera has no such control. Limits may change when it is configured. */
int libcamera_control(const char *name, struct libcamera_range *out);
/* To be set when the camera starts; after it was configured. */
int libcamera_set(const char *name, const double values[], unsigned n);

/* Makes the camera this process's: -EBUSY when it is another's. */
int libcamera_acquire(void);
/* Asks what would come of it, which is written into it. */
int libcamera_validate(struct libcamera_config *);
/* Configures as last validated, and makes the buffers: how many, or a negative errno. */
int libcamera_configure(void);
/* The planes of a buffer: how many. */
unsigned libcamera_planes(unsigned buffer, struct libcamera_plane out[LIBCAMERA_PLANES_MAX]);
/* Starts, and queues all buffers. */
int libcamera_start(const struct libcamera_events *);
/* Gives a buffer back to the camera. */
int libcamera_queue(unsigned buffer);
/* The oldest log line that was not asked for yet, without its newline, cut to fit. False when there is none.
 */
bool libcamera_log(char *line, size_t n);

#ifdef __cplusplus
}
#endif
#endif
