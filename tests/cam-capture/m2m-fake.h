/* m2m-fake: a kernel with video devices like a Pi's, for the hardware encoder: it stands where m2m-io.c
 * would. It encodes what it is given at once, into pictures that say what they are made of, and counts what a
 * driver would not allow. */
#ifndef M2M_FAKE_H
#define M2M_FAKE_H
#include <stdbool.h>
#include <stdint.h>

enum { FAKE_CONTROLS = 16, FAKE_BUFFERS = 32, FAKE_FD = 111 };

struct fake_queue {
	uint32_t memory, n, sizeimage;
	bool streaming;
	struct fake_buffer {
		uint8_t *map;
		int dmabuf;
		bool queued, done;
		uint32_t bytes, flags, order;
		int64_t us;
	} buffer[FAKE_BUFFERS];
};

struct fake {
	/* what kind of device it is */
	int open_errno;                  /* of the encoder, which is /dev/video11 */
	uint32_t align, min_side, gives; /* of lines, sides, and how many buffers it gives at most; 0 any */
	bool no_crop, no_stop, no_last, headers_once, headers_apart, no_headers, import_refused;
	bool hangs, short_buffers, another_format, wrong_times, huge;
	uint32_t bad_picture; /* this one, counted from 1 */
	struct fake_control {
		uint32_t id;
		int32_t value, min, max, step;
	} control[FAKE_CONTROLS];
	/* an ioctl that fails: the nth of these, counted from 1 */
	unsigned long fail_request;
	unsigned fail_at;
	int fail_errno;
	/* what happens */
	struct fake_queue in, out;
	uint32_t width, height, stride, crop_width, crop_height, rate_num, rate_den, order;
	unsigned encoded, since_idr, failing, breaches, opens;
	bool force_idr, stopping, last_given, last_taken;
	int64_t now_ns;
	uint8_t expect[3]; /* first bytes of planes Y, U, V of the picture encoded last */
};

extern struct fake fake;

/* A Pi 3. */
void fake_reset(void);
struct fake_control *fake_control(uint32_t id);
#endif
