// A pretend V4L2 camera for one program of the C library, by LD_PRELOAD: the file $SHIM_CAMERA, once opened, shows the JPEGs $SHIM_CAMERA.0, .1, …
// in turn, $SHIM_FPS of them a second. Bytes 6 to 17 of each are its number and the time in nanoseconds, big-endian. The device's descriptor
// is a timer, so that select and poll on it do what they should. One thread at a time uses it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 20, MOST = 8, PICTURES = 16 };

static int device = -1;
static char *memory[MOST], *picture[PICTURES];
static size_t length[PICTURES];
static int pictures, queue[MOST], first, queued;
static uint32_t number;

static void load(const char *camera) {
	for (; pictures < PICTURES; pictures++) {
		char path[512];
		snprintf(path, sizeof path, "%s.%d", camera, pictures);
		FILE *f = fopen(path, "rb");
		if (!f)
			return;
		picture[pictures] = malloc(ROOM);
		length[pictures] = fread(picture[pictures], 1, ROOM, f);
		fclose(f);
	}
}

static int opened(const char *path, int flags, int mode) {
	const char *camera = getenv("SHIM_CAMERA");
	if (!camera || strcmp(path, camera)) {
		int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
		return real(path, flags, mode);
	}
	if (!pictures)
		load(camera);
	return device = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
}

int open(const char *path, int flags, ...) {
	va_list more;
	va_start(more, flags);
	int mode = va_arg(more, int);
	va_end(more);
	return opened(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
	va_list more;
	va_start(more, flags);
	int mode = va_arg(more, int);
	va_end(more);
	return opened(path, flags, mode);
}

int close(int fd) {
	int (*real)(int) = dlsym(RTLD_NEXT, "close");
	if (fd == device)
		device = -1;
	return real(fd);
}

void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset) {
	void *(*real)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap");
	if (fd < 0 || fd != device)
		return real(at, size, prot, flags, fd, offset);
	return memory[offset / ROOM] = real(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

void *mmap64(void *at, size_t size, int prot, int flags, int fd, off_t offset) {
	return mmap(at, size, prot, flags, fd, offset);
}

static void put(char *at, uint64_t value, int bytes) {
	for (int i = bytes - 1; i >= 0; i--, value >>= 8)
		at[i] = (char)value;
}

static int dequeue(struct v4l2_buffer *b) {
	uint64_t expired;
	if (!queued || !pictures || read(device, &expired, sizeof expired) != sizeof expired) {
		errno = EAGAIN;
		return -1;
	}
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	int i = queue[first], p = number % pictures;
	first = (first + 1) % MOST;
	queued--;
	memcpy(memory[i], picture[p], length[p]);
	put(memory[i] + 6, ++number, 4);
	put(memory[i] + 10, now.tv_sec * 1000000000ull + now.tv_nsec, 8);
	clock_gettime(CLOCK_MONOTONIC, &now);
	b->index = i;
	b->bytesused = length[p];
	b->length = ROOM;
	b->flags = 0;
	b->sequence = number;
	b->timestamp.tv_sec = now.tv_sec;
	b->timestamp.tv_usec = now.tv_nsec / 1000;
	return 0;
}

static int answer(unsigned long request, void *arg) {
	int fps = atoi(getenv("SHIM_FPS"));
	switch ((uint32_t)request) {
	case VIDIOC_QUERYCAP: {
		struct v4l2_capability *c = arg;
		memset(c, 0, sizeof *c);
		c->capabilities = c->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
		return 0;
	}
	case VIDIOC_S_FMT: // whatever it is asked for; the sizes of the pictures are in them
		((struct v4l2_format *)arg)->fmt.pix.sizeimage = ROOM;
		return 0;
	case VIDIOC_S_PARM:
		((struct v4l2_streamparm *)arg)->parm.capture.timeperframe = (struct v4l2_fract){1, fps};
		return 0;
	case VIDIOC_REQBUFS: {
		struct v4l2_requestbuffers *r = arg;
		if (r->count > MOST)
			r->count = MOST;
		queued = 0;
		return 0;
	}
	case VIDIOC_QUERYBUF: {
		struct v4l2_buffer *b = arg;
		b->length = ROOM;
		b->m.offset = b->index * ROOM;
		return 0;
	}
	case VIDIOC_QBUF:
		queue[(first + queued++) % MOST] = ((struct v4l2_buffer *)arg)->index;
		return 0;
	case VIDIOC_DQBUF:
		return dequeue(arg);
	case VIDIOC_STREAMON: {
		struct itimerspec every = {{0, 1000000000 / fps}, {0, 1000000000 / fps}};
		return timerfd_settime(device, 0, &every, NULL);
	}
	case VIDIOC_S_INPUT:
	case VIDIOC_STREAMOFF:
		return 0;
	}
	errno = ENOTTY;
	return -1;
}

int ioctl(int fd, unsigned long request, ...) {
	va_list more;
	va_start(more, request);
	void *arg = va_arg(more, void *);
	va_end(more);
	if (fd >= 0 && fd == device)
		return answer(request, arg);
	int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, arg);
}
