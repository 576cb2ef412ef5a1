/*
 * Why our own read callbacks: libarchive's seeking zip reader jumps to each entry's local header; with
 * a window of a quarter megabyte that is remembered across jumps, listing 100,000 entries costs a
 * third of the system calls' time it would cost otherwise.
 */
#include "common/io/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/io/ziplist.h"

#include "common/base/banned.h"

#define WINDOW (256u << 10)

struct file_list {
	char **names; /* relative to the folder */
	size_t count;
	size_t cap;
};

struct io_archive {
	char *path;
	struct ark_buf name;
	/* an archive file */
	struct archive *lib;
	int fd;
	int64_t size;       /* for the library: with `parted` up to the end of the part and its tail */
	int64_t at;         /* where the library thinks it reads */
	bool parted;
	struct ziplist list;
	int64_t window_at;  /* file offset of window[0]; -1: nothing in it */
	size_t window_len;
	char *window;
	/* the body under way: the library's last block, and what it said */
	const char *block;
	size_t block_len;
	size_t block_at;      /* what is used of it */
	int64_t body_at;      /* bytes of the entry up to the end of the block */
	bool body_end;
	bool body_damaged;    /* to be told behind the block */
	char damage[256];
	/* a folder */
	bool folder;
	struct file_list files;
	size_t next_file;
	int file_fd;
};

/* ---- callbacks ---- */

static la_ssize_t on_read(struct archive *lib, void *ctx, const void **out)
{
	struct io_archive *a = ctx;
	if (a->parted && a->at >= (int64_t)a->list.part_end && a->at < a->size) {
		*out = a->list.tail + (a->at - (int64_t)a->list.part_end);
		la_ssize_t left = (la_ssize_t)(a->size - a->at);
		a->at = a->size;
		return left;
	}
	bool inside = a->window_at >= 0 && a->at >= a->window_at &&
	              a->at < a->window_at + (int64_t)a->window_len;
	if (!inside) {
		ssize_t n;
		do
			n = pread(a->fd, a->window, WINDOW, a->at);
		while (n < 0 && errno == EINTR);
		if (n < 0) {
			archive_set_error(lib, errno, "%s", strerror(errno));
			return -1;
		}
		a->window_at = a->at;
		a->window_len = (size_t)n;
		if (n == 0) {
			*out = a->window;
			return 0;
		}
	}
	size_t from = (size_t)(a->at - a->window_at), len = a->window_len - from;
	if (a->parted && a->at + (int64_t)len > (int64_t)a->list.part_end)
		len = a->at < (int64_t)a->list.part_end ? (size_t)((int64_t)a->list.part_end - a->at) : 0;
	*out = a->window + from;
	a->at += (int64_t)len;
	return (la_ssize_t)len;
}

static la_int64_t on_skip(struct archive *lib, void *ctx, la_int64_t request)
{
	(void)lib;
	struct io_archive *a = ctx;
	int64_t left = a->size - a->at;
	int64_t step = request < left ? request : left;
	if (step < 0)
		step = 0;
	a->at += step;
	return step;
}

static la_int64_t on_seek(struct archive *lib, void *ctx, la_int64_t offset, int whence)
{
	struct io_archive *a = ctx;
	int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? a->at : a->size;
	int64_t to;
	if (__builtin_add_overflow(base, offset, &to) || to < 0) {
		archive_set_error(lib, EINVAL, "offset outside the file");
		return ARCHIVE_FATAL;
	}
	a->at = to;
	return to;
}

/* ---- folders ---- */

static void list_add(struct file_list *l, char *name)
{
	if (l->count == l->cap) {
		l->cap = l->cap == 0 ? 64 : l->cap * 2;
		l->names = ark_realloc(l->names, l->cap, sizeof(*l->names));
	}
	l->names[l->count++] = name;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void closedirp(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

/* Add all regular files below `rel` ("" is the top). Links are not followed: a link could lead out
 * of the folder or in circles. */
static enum ark_rc list_folder(struct io_archive *a, const char *rel, int depth, struct ark_err *err)
{
	if (depth > 32)
		return ark_err_set(err, ARK_KIND_LIMIT, "'%s/%s' is nested too deep", a->path, rel);
	char full[LIMIT_ENTRY_NAME + 1];
	int n = snprintf(full, sizeof(full), "%s%s%s", a->path, rel[0] != '\0' ? "/" : "", rel);
	if (n < 0 || (size_t)n >= sizeof(full))
		return ark_err_set(err, ARK_KIND_LIMIT, "path '%s/%.100s...' is too long", a->path, rel);
	ark_auto(closedirp) DIR *dir = opendir(full);
	if (dir == NULL)
		return ark_err_errno(err, errno, "cannot read folder '%s'", full);
	for (;;) {
		errno = 0;
		struct dirent *d = readdir(dir);
		if (d == NULL)
			break;
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		char sub[LIMIT_ENTRY_NAME + 1];
		n = snprintf(sub, sizeof(sub), "%s%s%s", rel, rel[0] != '\0' ? "/" : "", d->d_name);
		if (n < 0 || (size_t)n >= sizeof(sub))
			return ark_err_set(err, ARK_KIND_LIMIT, "a path below '%s' is too long", full);
		struct stat st;
		if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			return ark_err_errno(err, errno, "cannot look at '%s/%s'", full, d->d_name);
		if (S_ISDIR(st.st_mode)) {
			enum ark_rc rc = list_folder(a, sub, depth + 1, err);
			if (rc < 0)
				return rc;
		} else if (S_ISREG(st.st_mode)) {
			list_add(&a->files, ark_strdupz(sub));
		}
	}
	if (errno != 0)
		return ark_err_errno(err, errno, "cannot read folder '%s'", full);
	return ARK_OK;
}

/* ---- names ---- */

static void iconv_closep(iconv_t *cd)
{
	if (*cd != (iconv_t)-1)
		iconv_close(*cd);
}

static void name_from_cp437(struct ark_buf *out, struct ark_str raw)
{
	ark_auto(iconv_closep) iconv_t cd = iconv_open("UTF-8", "CP437");
	if (cd == (iconv_t)-1) {
		ark_utf8_clean(out, raw);
		return;
	}
	char *from = (char *)(uintptr_t)raw.ptr;
	size_t from_left = raw.len;
	char *to = ark_buf_room(out, raw.len * 3);
	if (to == NULL)
		return;
	char *start = to;
	size_t to_left = raw.len * 3;
	iconv(cd, &from, &from_left, &to, &to_left);
	out->len += (size_t)(to - start);
	ark_utf8_clean(out, ark_str_n(from, from_left));
}

/* Absolute, a drive letter, a ".." part, or a NUL inside. */
static bool is_unsafe(struct ark_str name)
{
	if (name.len == 0 || name.ptr[0] == '/' || (name.len > 1 && name.ptr[1] == ':'))
		return true;
	if (memchr(name.ptr, '\0', name.len) != NULL)
		return true;
	for (size_t at = 0; at <= name.len;) {
		size_t end = ark_str_find(name, '/', at);
		if (end == SIZE_MAX)
			end = name.len;
		if (ark_str_eqz(ark_str_n(name.ptr + at, end - at), ".."))
			return true;
		at = end + 1;
	}
	return false;
}

static void set_name(struct io_archive *a, struct ark_str raw, struct io_entry *entry)
{
	ark_auto(ark_buf_release) struct ark_buf utf8;
	ark_buf_init(&utf8, LIMIT_ENTRY_NAME * 4);
	if (ark_utf8_valid(raw))
		ark_buf_str(&utf8, raw);
	else
		name_from_cp437(&utf8, raw);
	bool slash = memchr(utf8.data, '/', utf8.len) != NULL;
	for (size_t i = 0; i < utf8.len && !slash; i++)
		if (utf8.data[i] == '\\')
			utf8.data[i] = '/'; /* re-zipped on Windows: no '/' anywhere */
	ark_buf_reset(&a->name);
	bool ascii = true;
	for (size_t i = 0; i < utf8.len; i++)
		ascii &= (unsigned char)utf8.data[i] < 0x80;
	if (ascii)
		ark_buf_str(&a->name, ark_buf_view(&utf8));
	else
		ark_utf8_nfc(&a->name, ark_buf_view(&utf8));
	entry->name = ark_buf_view(&a->name);
	entry->unsafe = is_unsafe(entry->name);
}

/* ---- opening ---- */

static enum ark_rc open_lib(struct io_archive *a, struct ark_err *err)
{
	a->lib = archive_read_new();
	if (a->lib == NULL)
		return ark_err_stop(err, ARK_KIND_MEMORY, "libarchive cannot start");
	archive_read_support_format_zip_seekable(a->lib);
	archive_read_support_format_tar(a->lib);
	archive_read_support_filter_gzip(a->lib);
	archive_read_support_filter_xz(a->lib);
	archive_read_support_filter_zstd(a->lib);
	archive_read_set_callback_data(a->lib, a);
	archive_read_set_read_callback(a->lib, on_read);
	archive_read_set_skip_callback(a->lib, on_skip);
	archive_read_set_seek_callback(a->lib, on_seek);
	if (archive_read_open1(a->lib) != ARCHIVE_OK) {
		ark_err_set(err, ARK_KIND_INPUT, "'%s' is no archive, or it is cut off", a->path);
		ark_err_hint(err, "a Slack export is a .zip file or the folder unpacked from it; "
		                  "'unzip -t' tells whether a zip is whole");
		return ARK_FAIL;
	}
	return ARK_OK;
}

/* Go on with the next part of the list; ARK_END behind the last. */
static enum ark_rc next_part(struct io_archive *a, struct ark_err *err)
{
	if (!a->parted || !ziplist_next(&a->list))
		return ARK_END;
	if (a->lib != NULL)
		archive_read_free(a->lib);
	a->lib = NULL;
	a->at = 0;
	a->size = (int64_t)a->list.part_end + ZIPLIST_TAIL;
	return open_lib(a, err);
}

static enum ark_rc open_file(struct io_archive *a, struct ark_err *err)
{
	a->window = ark_malloc(WINDOW);
	a->parted = ziplist_find(a->fd, a->size, &a->list);
	return a->parted ? next_part(a, err) : open_lib(a, err);
}

enum ark_rc io_archive_open(const char *path, struct io_archive **out, struct ark_err *err)
{
	ark_auto(io_archive_closep) struct io_archive *a = ark_calloc(1, sizeof(*a));
	a->path = ark_strdupz(path);
	a->fd = a->file_fd = -1;
	a->window_at = -1;
	ark_buf_init(&a->name, LIMIT_ENTRY_NAME * 4);
	a->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (a->fd < 0)
		return ark_err_errno(err, errno, "cannot open '%s'", path);
	struct stat st;
	if (fstat(a->fd, &st) != 0)
		return ark_err_errno(err, errno, "cannot look at '%s'", path);
	enum ark_rc rc;
	if (S_ISDIR(st.st_mode)) {
		a->folder = true;
		rc = list_folder(a, "", 0, err);
		if (rc == ARK_OK && a->files.count > 0)
			qsort(a->files.names, a->files.count, sizeof(*a->files.names), by_name);
	} else if (!S_ISREG(st.st_mode)) {
		rc = ark_err_set(err, ARK_KIND_INPUT, "'%s' is neither a file nor a folder", path);
	} else {
		a->size = st.st_size;
		rc = open_file(a, err);
	}
	if (rc < 0)
		return rc;
	*out = a;
	a = NULL;
	return ARK_OK;
}

void io_archive_close(struct io_archive *a)
{
	if (a == NULL)
		return;
	if (a->lib != NULL)
		archive_read_free(a->lib);
	if (a->fd >= 0)
		close(a->fd);
	if (a->file_fd >= 0)
		close(a->file_fd);
	for (size_t i = 0; i < a->files.count; i++)
		free(a->files.names[i]);
	free(a->files.names);
	free(a->window);
	free(a->path);
	ark_buf_release(&a->name);
	free(a);
#ifdef __GLIBC__
	/* the library's list of entries, 160 bytes each in small pieces: the next archive is read on another
	 * thread, which has a heap of its own and would not use them again */
	malloc_trim(0);
#endif
}

void io_archive_closep(struct io_archive **a)
{
	io_archive_close(*a);
}

/* ---- walking ---- */

static enum ark_rc next_file(struct io_archive *a, struct io_entry *entry, struct ark_err *err)
{
	if (a->file_fd >= 0) {
		close(a->file_fd);
		a->file_fd = -1;
	}
	if (a->next_file == a->files.count)
		return ARK_END;
	const char *rel = a->files.names[a->next_file++];
	a->file_fd = openat(a->fd, rel, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	if (a->file_fd < 0 || fstat(a->file_fd, &st) != 0) {
		ark_err_errno(err, errno, "cannot open '%s/%s'", a->path, rel);
		return ARK_FAIL;
	}
	set_name(a, ark_str_z(rel), entry);
	entry->size_bytes = st.st_size;
	return ARK_OK;
}

enum ark_rc io_archive_next(struct io_archive *a, struct io_entry *entry, struct ark_err *err)
{
	a->block_at = a->block_len = 0;
	a->body_at = 0;
	a->body_end = a->body_damaged = false;
	if (a->folder)
		return next_file(a, entry, err);
	for (;;) {
		struct archive_entry *e;
		int rc = archive_read_next_header(a->lib, &e);
		if (rc == ARCHIVE_EOF) {
			enum ark_rc more = next_part(a, err);
			if (more == ARK_OK)
				continue;
			return more == ARK_END ? ARK_END : ARK_STOP;
		}
		if (rc == ARCHIVE_FATAL) {
			const char *why = archive_error_string(a->lib);
			ark_err_stop(err, ARK_KIND_INPUT, "'%s' cannot be read: %s", a->path,
			             why != NULL ? why : "damaged archive");
			ark_err_hint(err, "'unzip -t' tells whether a zip is whole");
			return ARK_STOP;
		}
		if (archive_entry_filetype(e) != AE_IFREG && archive_entry_filetype(e) != 0)
			continue;
		const char *raw = archive_entry_pathname(e);
		if (raw == NULL)
			raw = archive_entry_pathname_utf8(e);
		if (raw == NULL || strlen(raw) > LIMIT_ENTRY_NAME)
			return ark_err_set(err, ARK_KIND_INPUT, "'%s': entry with an unreadable name",
			                   a->path);
		if (raw[0] != '\0' && raw[strlen(raw) - 1] == '/')
			continue;
		set_name(a, ark_str_z(raw), entry);
		entry->size_bytes = archive_entry_size_is_set(e) ? archive_entry_size(e) : -1;
		return ARK_OK;
	}
}

/* The library's next block. Its own archive_read_data() drops what it copied when a later block of the
 * same call is bad, and goes on behind it. */
static void next_block(struct io_archive *a)
{
	const void *block;
	size_t len;
	la_int64_t at;
	int rc;
	do
		rc = archive_read_data_block(a->lib, &block, &len, &at);
	while (rc == ARCHIVE_RETRY);
	a->block_at = a->block_len = 0;
	if (rc == ARCHIVE_EOF) {
		a->body_end = true;
		return;
	}
	const char *why = archive_error_string(a->lib);
	bool has_data = rc == ARCHIVE_OK || rc == ARCHIVE_WARN; /* a warning comes with the last block */
	if (has_data && len > 0 && at != a->body_at) {
		has_data = false;
		rc = ARCHIVE_FAILED;
		why = "a part is left out";
	}
	if (has_data) {
		a->block = block;
		a->block_len = len;
		a->body_at += (int64_t)len;
	}
	if (rc != ARCHIVE_OK) {
		a->body_end = a->body_damaged = true;
		snprintf(a->damage, sizeof(a->damage), "%s", why != NULL ? why : "no reason given");
	}
}

static void read_file(struct io_archive *a, char *to, size_t cap, size_t *have)
{
	while (*have < cap && !a->body_end) {
		ssize_t n = read(a->file_fd, to + *have, cap - *have);
		if (n > 0) {
			*have += (size_t)n;
		} else if (n == 0) {
			a->body_end = true;
		} else if (errno != EINTR) {
			a->body_end = a->body_damaged = true;
			snprintf(a->damage, sizeof(a->damage), "%s", strerror(errno));
		}
	}
}

static void read_blocks(struct io_archive *a, char *to, size_t cap, size_t *have)
{
	while (*have < cap) {
		if (a->block_at == a->block_len) {
			if (a->body_end)
				return;
			next_block(a);
			continue;
		}
		size_t n = a->block_len - a->block_at;
		if (n > cap - *have)
			n = cap - *have;
		memcpy(to + *have, a->block + a->block_at, n);
		a->block_at += n;
		*have += n;
	}
}

enum ark_rc io_archive_read(struct io_archive *a, char *to, size_t cap, size_t *got,
                            struct ark_err *err)
{
	size_t have = 0;
	if (a->folder)
		read_file(a, to, cap, &have);
	else
		read_blocks(a, to, cap, &have);
	*got = have;
	if (have == cap || !a->body_damaged)
		return ARK_OK;
	a->body_damaged = false;
	return ark_err_set(err, ARK_KIND_INPUT, "'%s': '%s' is damaged: %s", a->path, a->name.data, a->damage);
}

enum ark_rc io_archive_slurp(struct io_archive *a, struct ark_buf *out, struct ark_err *err)
{
	for (;;) {
		size_t step = 64u << 10;
		if (out->ceil - out->len < step)
			step = out->ceil - out->len;
		char extra;
		char *to = step > 0 ? ark_buf_room(out, step) : &extra;
		size_t got;
		enum ark_rc rc = io_archive_read(a, to, step > 0 ? step : 1, &got, err);
		if (rc < 0) {
			out->len += step > 0 ? got : 0;
			out->data[out->len] = '\0';
			return rc;
		}
		if (step == 0 && got > 0)
			return ark_err_set(err, ARK_KIND_LIMIT, "'%s': '%s' is larger than %zu bytes",
			                   a->path, a->name.data, out->ceil);
		out->len += step > 0 ? got : 0;
		out->data[out->len] = '\0';
		if (got < step || step == 0)
			return ARK_OK;
	}
}
