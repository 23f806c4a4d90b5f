/* m2m-coded: what the hardware encoder is asked for. cam-capture asks for H.264 (m2m-h264.c); a test program
 * that runs where the only encoder is vicodec is linked with another answer, and with the same code
 * otherwise. */
#ifndef M2M_CODED_H
#define M2M_CODED_H
#include <stdbool.h>
#include <stdint.h>

struct m2m_coded {
	uint32_t fourcc; /* V4L2_PIX_FMT_* */
	const char *name;
	bool h264; /* Annex B with parameter sets, and the controls of H.264 */
};

extern const struct m2m_coded m2m_coded;
#endif
