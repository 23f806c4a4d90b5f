/* libcamera behind the functions of libcamera.h; the only C++ here, because libcamera has no other interface.
 * Opens media and video devices. Decides nothing: what to ask for and what to make of it is
 * source-camera.c's.
 *
 * Compiles unchanged with libcamera 0.0.3 to 0.7. Controls are looked up by the names that the camera gives,
 * for which ones there are differs from version to version. Nothing is ever stopped or freed: after a camera
 * is lost Camera::stop() fails an assertion, and the process ends with _exit(). */
#include "libcamera.h"

#include <libcamera/camera.h>
#include <libcamera/camera_manager.h>
#include <libcamera/framebuffer_allocator.h>
#include <libcamera/logging.h>
#include <libcamera/property_ids.h>
#include <libcamera/transform.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <ostream>
#include <streambuf>
#include <string>
#include <vector>

namespace lc = libcamera;

namespace
{

/* libcamera writes lines of the form "[0:15:04.27] [123]  WARN Category file.cpp:12 text", from any thread.
 */
class Log : public std::streambuf
{
      public:
	bool verbose = false;

	bool take(std::string &line)
	{
		std::lock_guard<std::mutex> hold(lock_);
		if (lines_.empty())
			return false;
		line = lines_.front();
		lines_.pop_front();
		return true;
	}

      protected:
	std::streamsize xsputn(const char *s, std::streamsize n) override
	{
		std::lock_guard<std::mutex> hold(lock_);
		for (std::streamsize i = 0; i < n; i++)
			put(s[i]);
		return n;
	}

	int overflow(int c) override
	{
		std::lock_guard<std::mutex> hold(lock_);
		if (c != EOF)
			put(static_cast<char>(c));
		return c == EOF ? 0 : c;
	}

      private:
	static constexpr size_t LINES_MAX = 16, LINE_BYTES_MAX = 400;

	void put(char c)
	{
		if (c != '\n') {
			if (part_.size() < LINE_BYTES_MAX)
				part_ += c;
			return;
		}
		size_t level = std::min(part_.find("ERROR "), part_.find("FATAL "));
		if ((verbose || level != std::string::npos) && lines_.size() < LINES_MAX)
			lines_.push_back(
			        verbose || level == std::string::npos ? part_ : part_.substr(level + 6));
		part_.clear();
	}

	std::mutex lock_;
	std::string part_;
	std::deque<std::string> lines_;
};

struct Open {
	std::unique_ptr<lc::CameraManager> manager;
	std::vector<std::shared_ptr<lc::Camera>> cameras;
	std::vector<std::string> models;
	std::shared_ptr<lc::Camera> camera;
	std::unique_ptr<lc::CameraConfiguration> config;
	std::unique_ptr<lc::FrameBufferAllocator> allocator;
	std::vector<std::unique_ptr<lc::Request>> requests;
	std::unique_ptr<lc::ControlList> controls;
	libcamera_events events = {};

	void completed(lc::Request *request)
	{
		if (request->status() == lc::Request::RequestCancelled || request->buffers().empty())
			return;
		const lc::FrameMetadata &m = request->buffers().begin()->second->metadata();
		const libcamera_frame frame = {static_cast<unsigned>(request->cookie()),
		        m.status == lc::FrameMetadata::FrameSuccess, m.sequence,
		        static_cast<int64_t>(m.timestamp)};
		events.frame(events.owner, &frame);
	}

	void disconnected()
	{
		events.gone(events.owner);
	}
};

/* Never destroyed: threads of libcamera use them until the process has ended. */
Open &o = *new Open;
Log &logbuf = *new Log;
std::ostream &logstream = *new std::ostream(&logbuf);

void copy(char *out, size_t n, const std::string &s)
{
	size_t fit = std::min(n - 1, s.size());
	std::memcpy(out, s.data(), fit);
	out[fit] = '\0';
}

const lc::ControlInfoMap::value_type *control_find(const std::string &name)
{
	for (const auto &c : o.camera->controls())
		if (c.first->name() == name)
			return &c;
	return nullptr;
}

bool value_number(const lc::ControlValue &v, double *out)
{
	if (v.isArray() && v.numElements() == 0)
		return false;
	const uint8_t *p = v.data().data();
	int32_t i32;
	int64_t i64;
	float f;
	switch (v.type()) {
	case lc::ControlTypeBool:
	case lc::ControlTypeByte: *out = *p; return true;
	case lc::ControlTypeInteger32:
		std::memcpy(&i32, p, sizeof i32);
		*out = i32;
		return true;
	case lc::ControlTypeInteger64:
		std::memcpy(&i64, p, sizeof i64);
		*out = static_cast<double>(i64);
		return true;
	case lc::ControlTypeFloat:
		std::memcpy(&f, p, sizeof f);
		*out = static_cast<double>(f);
		return true;
	default: return false;
	}
}

template <typename T> lc::ControlValue value_of(const double values[], unsigned n)
{
	T array[LIBCAMERA_VALUES_MAX] = {};
	for (unsigned i = 0; i < n; i++)
		array[i] = static_cast<T>(values[i]);
	if (n == 1)
		return lc::ControlValue(array[0]);
	return lc::ControlValue(lc::Span<const T, LIBCAMERA_VALUES_MAX>(array));
}

#if __has_include(<libcamera/orientation.h>)
lc::Transform transform_get(const lc::CameraConfiguration &c)
{
	return c.orientation / lc::Orientation::Rotate0;
}

void transform_set(lc::CameraConfiguration &c, lc::Transform t)
{
	c.orientation = lc::Orientation::Rotate0 * t;
}
#else
lc::Transform transform_get(const lc::CameraConfiguration &c)
{
	return c.transform;
}

void transform_set(lc::CameraConfiguration &c, lc::Transform t)
{
	c.transform = t;
}
#endif

bool has(lc::Transform t, lc::Transform bit)
{
	return (t & bit) == bit;
}

void colour_get(const std::optional<lc::ColorSpace> &space, libcamera_config *out)
{
	using S = lc::ColorSpace;
	out->primaries = out->transfer = out->matrix = 0;
	out->full_range = false;
	if (!space)
		return;
	switch (space->primaries) {
	case S::Primaries::Raw: break;
	case S::Primaries::Smpte170m: out->primaries = 6; break;
	case S::Primaries::Rec709: out->primaries = 1; break;
	case S::Primaries::Rec2020: out->primaries = 9; break;
	}
	switch (space->transferFunction) {
	case S::TransferFunction::Linear: out->transfer = 8; break;
	case S::TransferFunction::Srgb: out->transfer = 13; break;
	case S::TransferFunction::Rec709: out->transfer = 1; break;
	}
	switch (space->ycbcrEncoding) {
	case S::YcbcrEncoding::None: break;
	case S::YcbcrEncoding::Rec601: out->matrix = 6; break;
	case S::YcbcrEncoding::Rec709: out->matrix = 1; break;
	case S::YcbcrEncoding::Rec2020: out->matrix = 9; break;
	}
	out->full_range = out->matrix && space->range == S::Range::Full;
}

} // namespace

int libcamera_begin(bool verbose)
{
	logbuf.verbose = verbose;
	lc::logSetStream(&logstream);
	o.manager = std::make_unique<lc::CameraManager>();
	int r = o.manager->start();
	if (r)
		return r;
	o.cameras = o.manager->cameras();
	for (const auto &camera : o.cameras) {
		const auto model = camera->properties().get(lc::properties::Model);
		o.models.emplace_back(model ? std::string(model->begin(), model->end()) : "");
	}
	return 0;
}

const char *libcamera_version(void)
{
	static const std::string version = lc::CameraManager::version();
	return version.c_str();
}

unsigned libcamera_count(void)
{
	return static_cast<unsigned>(o.cameras.size());
}

const char *libcamera_id(unsigned camera)
{
	return o.cameras[camera]->id().c_str();
}

const char *libcamera_model(unsigned camera)
{
	return o.models[camera].c_str();
}

int libcamera_choose(unsigned camera)
{
	o.camera = o.cameras[camera];
	o.config = o.camera->generateConfiguration({lc::StreamRole::VideoRecording});
	if (!o.config || o.config->empty())
		return -ENOTSUP;
	return 0;
}

unsigned libcamera_formats(struct libcamera_format out[], unsigned max)
{
	unsigned n = 0;
	for (const lc::PixelFormat &f : o.config->at(0).formats().pixelformats()) {
		if (f.modifier() || n == max)
			continue;
		out[n].fourcc = f.fourcc();
		copy(out[n].name, sizeof out[n].name, f.toString());
		n++;
	}
	return n;
}

unsigned libcamera_sizes(uint32_t fourcc, struct libcamera_size out[], unsigned max)
{
	unsigned n = 0;
	const lc::PixelFormat format(fourcc);
	const lc::StreamFormats &formats = o.config->at(0).formats();
	std::vector<lc::Size> sizes = formats.sizes(format);
	if (sizes.empty()) {
		const lc::SizeRange range = formats.range(format);
		sizes = {range.min, range.max};
	}
	for (const lc::Size &s : sizes)
		if (n < max)
			out[n++] = {s.width, s.height};
	return n;
}

int libcamera_control(const char *name, struct libcamera_range *out)
{
	const auto *c = control_find(name);
	if (!c)
		return -ENOENT;
	*out = {1, 0};
	double min, max;
	if (value_number(c->second.min(), &min) && value_number(c->second.max(), &max)) {
		out->min = min;
		out->max = max;
	}
	return 0;
}

int libcamera_set(const char *name, const double values[], unsigned n)
{
	const auto *c = control_find(name);
	if (!c)
		return -ENOENT;
	if (!n || n > LIBCAMERA_VALUES_MAX)
		return -EINVAL;
	const unsigned id = c->first->id();
	switch (c->first->type()) {
	case lc::ControlTypeBool: o.controls->set(id, lc::ControlValue(values[0] > 0)); return 0;
	case lc::ControlTypeByte: o.controls->set(id, value_of<uint8_t>(values, n)); return 0;
	case lc::ControlTypeInteger32: o.controls->set(id, value_of<int32_t>(values, n)); return 0;
	case lc::ControlTypeInteger64: o.controls->set(id, value_of<int64_t>(values, n)); return 0;
	case lc::ControlTypeFloat: o.controls->set(id, value_of<float>(values, n)); return 0;
	default: return -EINVAL;
	}
}

int libcamera_acquire(void)
{
	return o.camera->acquire();
}

int libcamera_validate(struct libcamera_config *c)
{
	lc::StreamConfiguration &s = o.config->at(0);
	lc::Transform t = lc::Transform::Identity;

	if (c->hflip)
		t |= lc::Transform::HFlip;
	if (c->vflip)
		t |= lc::Transform::VFlip;
	if (c->transpose)
		t |= lc::Transform::Transpose;
	s.pixelFormat = lc::PixelFormat(c->fourcc);
	s.size = {c->width, c->height};
	s.stride = 0;
	s.bufferCount = c->buffers;
	transform_set(*o.config, t);
	if (o.config->validate() == lc::CameraConfiguration::Invalid)
		return -EINVAL;

	t = transform_get(*o.config);
	c->hflip = has(t, lc::Transform::HFlip);
	c->vflip = has(t, lc::Transform::VFlip);
	c->transpose = has(t, lc::Transform::Transpose);
	c->fourcc = s.pixelFormat.modifier() ? 0 : s.pixelFormat.fourcc();
	c->width = s.size.width;
	c->height = s.size.height;
	c->stride = s.stride;
	c->buffers = s.bufferCount;
	colour_get(s.colorSpace, c);
	copy(c->format, sizeof c->format, s.pixelFormat.toString());
	return 0;
}

int libcamera_configure(void)
{
	int r = o.camera->configure(o.config.get());
	if (r)
		return r;
	o.controls = std::make_unique<lc::ControlList>(o.camera->controls());
	lc::Stream *stream = o.config->at(0).stream();
	o.allocator = std::make_unique<lc::FrameBufferAllocator>(o.camera);
	r = o.allocator->allocate(stream);
	if (r < 0)
		return r;
	const auto &buffers = o.allocator->buffers(stream);
	for (size_t i = 0; i < buffers.size(); i++) {
		std::unique_ptr<lc::Request> request = o.camera->createRequest(i);
		if (!request)
			return -ENOMEM;
		r = request->addBuffer(stream, buffers[i].get());
		if (r)
			return r;
		o.requests.push_back(std::move(request));
	}
	return static_cast<int>(o.requests.size());
}

unsigned libcamera_planes(unsigned buffer, struct libcamera_plane out[LIBCAMERA_PLANES_MAX])
{
	const auto &planes = o.requests[buffer]->buffers().begin()->second->planes();
	if (planes.size() > LIBCAMERA_PLANES_MAX)
		return 0;
	for (size_t i = 0; i < planes.size(); i++)
		out[i] = {planes[i].fd.get(), planes[i].offset, planes[i].length};
	return static_cast<unsigned>(planes.size());
}

/* Some cameras take controls when they start, others with a request; the first request has them again. */
int libcamera_start(const struct libcamera_events *events)
{
	o.events = *events;
	o.camera->requestCompleted.connect(&o, &Open::completed);
	o.camera->disconnected.connect(&o, &Open::disconnected);
	int r = o.camera->start(o.controls->empty() ? nullptr : o.controls.get());
	if (r)
		return r;
	for (size_t i = 0; i < o.requests.size(); i++) {
		if (i == 0)
			o.requests[i]->controls().merge(*o.controls);
		r = o.camera->queueRequest(o.requests[i].get());
		if (r)
			return r;
	}
	return 0;
}

int libcamera_queue(unsigned buffer)
{
	lc::Request *request = o.requests[buffer].get();
	request->reuse(lc::Request::ReuseBuffers);
	return o.camera->queueRequest(request);
}

bool libcamera_log(char *line, size_t n)
{
	std::string s;
	if (!logbuf.take(s))
		return false;
	copy(line, n, s);
	return true;
}
