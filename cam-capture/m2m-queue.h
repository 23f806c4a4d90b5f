/* m2m-queue: one of the two queues of a memory-to-memory device, and its buffers: one memory plane each. */
#ifndef M2M_QUEUE_H
#define M2M_QUEUE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { M2M_BUFFERS_MAX = 32 };

struct m2m_queue {
	int fd;
	uint32_t type; /* enum v4l2_buf_type */
	bool dmabuf;   /* memory from elsewhere */
	unsigned n;
	uint8_t *map[M2M_BUFFERS_MAX];
	size_t bytes[M2M_BUFFERS_MAX];
	bool queued[M2M_BUFFERS_MAX]; /* the device has it */
};

/* What is, or goes, in a buffer. */
struct m2m_content {
	uint32_t at, bytes;
	uint32_t size; /* of the memory, with dmabuf */
	int dmabuf;
	int64_t time_us;
	bool last, bad;
};

/* All return -1 with errno. Buffers of the device, mapped; it may give other than n of them. */
int m2m_queue_map(struct m2m_queue *q, int fd, uint32_t type, unsigned n);
/* Buffers without memory, which comes as DMABUF each time. */
int m2m_queue_import(struct m2m_queue *q, int fd, uint32_t type, unsigned n);
int m2m_queue_put(struct m2m_queue *q, unsigned i, const struct m2m_content *c);
/* The buffer that the device gives back; EAGAIN when there is none, EPIPE after the last. */
int m2m_queue_get(struct m2m_queue *q, struct m2m_content *out);
int m2m_queue_start(struct m2m_queue *q);
/* Stops it, and gives the device its buffers back. */
void m2m_queue_free(struct m2m_queue *q);
#endif
