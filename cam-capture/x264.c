/* x264 behind the interface of encoder.h, tuned for a camera: no delay, no B pictures, no look-ahead. Holds
 * its frames; its threads inherit the signal mask. */
#define _GNU_SOURCE
#include "encoder.h"

#include "msg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* its own header wants stdint.h first */
#include <x264.h>

enum {
	THREADS_MAX = 4, /* slices of one picture, each costs a little; a Pi 3 has four cores */
	STAMPS = 64,     /* more frames than are ever inside the encoder */
	UNSPECIFIED = 2, /* in H.264 tables E-3 to E-5 */
	VBV_FULL_PERMILLE = 900,
};

struct x264 {
	x264_t *encoder;
	x264_picture_t out;
	x264_nal_t *nals;
	int ready_bytes; /* of an access unit that has not been pulled yet */
	bool idr_next, flushing;
	int csp;
	int64_t pushed;
	struct stamp stamps[STAMPS];
};

__attribute__((format(printf, 3, 0))) static void say(void *unused, int level, const char *fmt, va_list ap)
{
	char line[256];
	(void)unused;
	(void)level;
	int n = vsnprintf(line, sizeof line, fmt, ap);
	if (n > 0 && (size_t)n < sizeof line && line[n - 1] == '\n')
		line[n - 1] = '\0';
	msg("x264: %s", line);
}

static void parameters(x264_param_t *p, const struct encoder_config *c)
{
	const struct video *v = &c->video;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	p->pf_log = say;
	p->i_log_level = X264_LOG_ERROR;
	/* Slices in parallel share one budget of bits, first come first served, so they differ from run to
	 * run. */
	p->i_threads = c->reproducible ? 1 : cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (int)cores;
	p->i_width = (int)v->width;
	p->i_height = (int)v->height;
	p->i_csp = v->format == VIDEO_NV12 ? X264_CSP_NV12 : X264_CSP_I420;
	p->i_fps_num = v->rate_num;
	p->i_fps_den = v->rate_den;
	p->b_vfr_input =
	        0; /* VUI timing and rate control by the nominal rate; the SEI message has the real times */
	p->b_annexb = 1;
	p->b_aud = 1;
	p->b_repeat_headers = 1;
	p->b_open_gop = 0;
	p->b_intra_refresh = 0;
	p->i_bframe = 0;
	p->i_scenecut_threshold = 0;
	p->i_keyint_max = p->i_keyint_min = (int)c->gop_frames;
	p->rc.i_rc_method = X264_RC_ABR;
	p->rc.i_bitrate = p->rc.i_vbv_max_bitrate = p->rc.i_vbv_buffer_size =
	        (int)((c->bitrate_bps + 500) / 1000);
	p->rc.f_vbv_buffer_init = VBV_FULL_PERMILLE / 1000.0F;
	p->vui.i_sar_width = v->sar_num;
	p->vui.i_sar_height = v->sar_den;
	p->vui.b_fullrange = v->full_range;
	p->vui.i_chroma_loc = v->chroma_loc;
	p->vui.i_colorprim = v->primaries ? v->primaries : UNSPECIFIED;
	p->vui.i_transfer = v->transfer ? v->transfer : UNSPECIFIED;
	p->vui.i_colmatrix = v->matrix ? v->matrix : UNSPECIFIED;
}

static unsigned formats(void)
{
	return 1u << VIDEO_I420 | 1u << VIDEO_NV12;
}

static void *open_x264(const struct encoder_config *c)
{
	x264_param_t param;
	struct x264 *x = calloc(1, sizeof *x);

	if (!x)
		return NULL;
	if (x264_param_default_preset(&param, "ultrafast", "zerolatency") < 0) {
		free(x);
		errno = EINVAL;
		return NULL;
	}
	parameters(&param, c);
	x->csp = param.i_csp;
	x->encoder = x264_encoder_open(&param);
	if (!x->encoder) {
		free(x);
		errno = EINVAL;
		return NULL;
	}
	return x;
}

static int encode(struct x264 *x, x264_picture_t *in)
{
	int count = 0;
	x->ready_bytes = x264_encoder_encode(x->encoder, &x->nals, &count, in, &x->out);
	if (x->ready_bytes >= 0)
		return 0;
	x->ready_bytes = 0;
	errno = EIO;
	return -1;
}

static int push(void *state, const struct frame *frame)
{
	struct x264 *x = state;
	struct stamp *stamp = &x->stamps[x->pushed % STAMPS];
	x264_picture_t in;

	*stamp = frame->stamp;
	x264_picture_init(&in);
	in.i_type = x->idr_next ? X264_TYPE_IDR : X264_TYPE_AUTO;
	x->idr_next = false;
	in.i_pts = x->pushed++;
	in.opaque = stamp;
	in.img.i_csp = x->csp;
	in.img.i_plane = x->csp == X264_CSP_NV12 ? 2 : 3;
	for (int i = 0; i < in.img.i_plane; i++) {
		in.img.plane[i] = (uint8_t *)frame->plane[i]; /* x264 copies from it */
		in.img.i_stride[i] = (int)frame->stride[i];
	}
	int r = encode(x, &in);
	frame_release(frame);
	return r;
}

static int no_fd(void *unused)
{
	(void)unused;
	return -1;
}

static int pull(void *state, struct packet *out)
{
	struct x264 *x = state;
	while (!x->ready_bytes && x->flushing && x264_encoder_delayed_frames(x->encoder) > 0)
		if (encode(x, NULL) < 0)
			return -1;
	if (!x->ready_bytes)
		return 0;
	/* x264 promises that the payloads of one call lie one behind the other */
	*out = (struct packet){.bytes = x->nals[0].p_payload, .n = (size_t)x->ready_bytes};
	out->stamp = *(const struct stamp *)x->out.opaque;
	x->ready_bytes = 0;
	return 1;
}

static void force_idr(void *state)
{
	((struct x264 *)state)->idr_next = true;
}

static void flush(void *state)
{
	((struct x264 *)state)->flushing = true;
}

static void close_x264(void *state)
{
	struct x264 *x = state;
	x264_encoder_close(x->encoder);
	free(x);
}

const struct encoder encoder_x264 = {
        .name = "x264",
        .about = "software",
        .formats = formats,
        .open = open_x264,
        .push = push,
        .pull = pull,
        .fd = no_fd,
        .force_idr = force_idr,
        .flush = flush,
        .close = close_x264,
};
