#include "import/fetch/painter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"

#include "common/base/banned.h"

#define PAINTERS_MAX 8

struct order {
	uint64_t len;
	int kind;
	int side; /* 0: image_make */
};

struct answer {
	int ok, width, height, png;
	uint64_t thumb, preview, mini; /* bytes, one behind the other in the shared block */
};

struct painter {
	pid_t pid;        /* 0: not there */
	int fd;           /* orders one way, answers the other */
	char *shared;     /* LIMIT_IMAGE in, LIMIT_PREVIEW out behind it; both see it */
	bool busy;
	uint64_t tag;
	int64_t began_ms;
};

struct painters {
	unsigned count;
	struct painter list[PAINTERS_MAX];
};

struct painters *painters_new(unsigned count)
{
	struct painters *p = ark_calloc(1, sizeof(*p));
	p->count = count < 1 ? 1 : count > PAINTERS_MAX ? PAINTERS_MAX : count;
	return p;
}

/* ---- in the child ---- */

static bool read_all(int fd, void *to, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = read(fd, (char *)to + at, len - at);
		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static bool write_all(int fd, const void *from, size_t len)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = send(fd, (const char *)from + at, len - at, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return false;
		at += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* More memory than the program has already by what an image may take. */
static void limit_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__)
	char text[128] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return;
	rlim_t pages = strtoull(text, NULL, 10);
	rlim_t limit = pages * (rlim_t)sysconf(_SC_PAGESIZE) + LIMIT_IMAGE_MEMORY;
	setrlimit(RLIMIT_AS, &(struct rlimit){ limit, limit });
#endif
}

/* Nothing that the program has open, no file, no core, no end of its own. */
static void confine(int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	signal(SIGINT, SIG_IGN); /* of the terminal: the program ends us */
	signal(SIGTERM, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	dup2(fd, 0);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(1);
	close_range(3, ~0U, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 0, 0 });
	limit_memory();
}

static void paint(char *shared, const struct order *o, struct answer *a)
{
	struct ark_buf thumb, preview, mini;
	struct image_sizes sizes;
	ark_buf_init(&thumb, LIMIT_PREVIEW / 4);
	ark_buf_init(&preview, LIMIT_PREVIEW / 2);
	ark_buf_init(&mini, 64u << 10);
	*a = (struct answer){ 0 };
	struct ark_str body = ark_str_n(shared, o->len);
	enum image_kind kind = (enum image_kind)o->kind;
	sizes = (struct image_sizes){ o->side, o->side, true };
	bool ok = o->side > 0 ? image_square(body, kind, o->side, &preview)
	                      : image_make(body, kind, &sizes, &thumb, &preview, &mini);
	if (ok) {
		char *to = shared + LIMIT_IMAGE;
		memcpy(to, thumb.data, thumb.len);
		memcpy(to + thumb.len, preview.data, preview.len);
		memcpy(to + thumb.len + preview.len, mini.data, mini.len);
		*a = (struct answer){ 1, sizes.width, sizes.height, sizes.png, thumb.len, preview.len, mini.len };
	}
	ark_buf_release(&thumb);
	ark_buf_release(&preview);
	ark_buf_release(&mini);
}

static void child(char *shared, int fd)
{
	struct order o;
	struct answer a;
	confine(fd);
	while (read_all(0, &o, sizeof(o))) {
		paint(shared, &o, &a);
		if (!write_all(0, &a, sizeof(a)))
			break;
	}
	_exit(0);
}

/* ---- in the program ---- */

static void end(struct painter *x)
{
	if (x->pid > 0) {
		close(x->fd);
		kill(x->pid, SIGKILL);
		while (waitpid(x->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	x->pid = 0;
	x->busy = false;
}

void painters_free(struct painters *p)
{
	if (p == NULL)
		return;
	for (unsigned i = 0; i < p->count; i++) {
		end(&p->list[i]);
		if (p->list[i].shared != NULL)
			munmap(p->list[i].shared, LIMIT_IMAGE + LIMIT_PREVIEW);
	}
	free(p);
}

void painters_freep(struct painters **p)
{
	painters_free(*p);
}

static bool start(struct painter *x)
{
	int fds[2];
	if (x->shared == NULL) {
		void *m = mmap(NULL, LIMIT_IMAGE + LIMIT_PREVIEW, PROT_READ | PROT_WRITE,
		               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (m == MAP_FAILED)
			return false;
		x->shared = m;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return false;
	pid_t pid = fork();
	if (pid == 0)
		child(x->shared, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return false;
	}
	x->pid = pid;
	x->fd = fds[0];
	return true;
}

/* How many are at work. */
static unsigned painters_busy(const struct painters *p)
{
	unsigned n = 0;
	for (unsigned i = 0; i < p->count; i++)
		n += p->list[i].busy;
	return n;
}

bool painters_idle(const struct painters *p)
{
	return painters_busy(p) < p->count;
}

static bool give(struct painters *p, uint64_t tag, struct ark_str body, enum image_kind kind, int side)
{
	struct painter *x = p->list;
	while (x->busy)
		if (++x == p->list + p->count)
			ark_bug("no painter is idle");
	if (body.len > LIMIT_IMAGE)
		ark_bug("an image of %zu bytes", body.len);
	struct order o = { body.len, (int)kind, side };
	for (int round = 0; round < 2; round++) { /* one that died between two images is replaced */
		if (x->pid == 0 && !start(x))
			return false;
		memcpy(x->shared, body.ptr, body.len);
		if (write_all(x->fd, &o, sizeof(o))) {
			x->busy = true;
			x->tag = tag;
			x->began_ms = ark_time_tick_ms();
			return true;
		}
		end(x);
	}
	return false;
}

bool painters_begin(struct painters *p, uint64_t tag, struct ark_str body, enum image_kind kind)
{
	return give(p, tag, body, kind, 0);
}

bool painters_begin_square(struct painters *p, uint64_t tag, struct ark_str body, enum image_kind kind,
                           int side)
{
	return give(p, tag, body, kind, side);
}

static void take(struct painter *x, struct painted *out)
{
	struct answer a;
	*out = (struct painted){ .tag = x->tag };
	bool whole = read_all(x->fd, &a, sizeof(a));
	if (!whole)
		end(x); /* it crashed, or had no memory left */
	x->busy = false;
	if (!whole || !a.ok || a.thumb > LIMIT_PREVIEW || a.preview > LIMIT_PREVIEW || a.mini > LIMIT_PREVIEW ||
	    a.thumb + a.preview + a.mini > LIMIT_PREVIEW)
		return;
	const char *at = x->shared + LIMIT_IMAGE;
	out->ok = true;
	out->sizes = (struct image_sizes){ a.width, a.height, a.png != 0 };
	out->thumb = ark_str_n(at, a.thumb);
	out->preview = ark_str_n(at + a.thumb, a.preview);
	out->mini = ark_str_n(at + a.thumb + a.preview, a.mini);
}

/* Who takes too long is ended. */
static bool give_up(struct painters *p, struct painted *out)
{
	for (unsigned i = 0; i < p->count; i++) {
		struct painter *x = &p->list[i];
		if (!x->busy || ark_time_tick_ms() - x->began_ms < LIMIT_IMAGE_MS)
			continue;
		*out = (struct painted){ .tag = x->tag };
		end(x);
		return true;
	}
	return false;
}

bool painters_next(struct painters *p, bool wait, struct painted *out)
{
	while (painters_busy(p) > 0) {
		struct pollfd fds[PAINTERS_MAX];
		for (unsigned i = 0; i < p->count; i++)
			fds[i] = (struct pollfd){ p->list[i].busy ? p->list[i].fd : -1, POLLIN, 0 };
		int n = poll(fds, p->count, wait ? 1000 : 0);
		for (unsigned i = 0; n > 0 && i < p->count; i++) {
			if (fds[i].revents == 0)
				continue;
			take(&p->list[i], out);
			return true;
		}
		if (give_up(p, out))
			return true;
		if (!wait)
			return false;
	}
	return false;
}
