/*
 * The folder that becomes the report. It is made beside the final name, as ".NAME.part-<16 hex>",
 * and gets the final name by one rename. flock on the folder itself tells a living run from a rest:
 * locks go with their process, so no rest ever needs a hand.
 */
#include "import/report/private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/fail.h"
#include "common/base/mem.h"

#include "common/base/banned.h"

#define PART            ".part-"
#define PART_HEX        16
#define PART_NAME_BYTES 200 /* of the final name in the other one: 255 bytes hold both */

static const char *const FILES[] = { REPORT_HTML, REPORT_JSON, REPORT_SKIPPED, REPORT_MISSING,
	                             REPORT_USERS };
#define FILES_COUNT (sizeof(FILES) / sizeof(FILES[0]))

enum there { THERE_NOTHING, THERE_EMPTY, THERE_REPORT, THERE_OTHER };

static int open_folder(int parent_fd, const char *name)
{
	return openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void closedirp(DIR **d)
{
	if (*d != NULL)
		closedir(*d);
}

/* A stream of the folder's entries with a position of its own. */
static DIR *list_folder(int fd)
{
	int own = open_folder(fd, ".");
	DIR *d = own >= 0 ? fdopendir(own) : NULL;
	if (d == NULL && own >= 0)
		close(own);
	return d;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool is_our_file(const char *name)
{
	for (size_t i = 0; i < FILES_COUNT; i++)
		if (strcmp(name, FILES[i]) == 0)
			return true;
	return false;
}

static bool has_mark(int fd)
{
	char head[sizeof(REPORT_MARK) - 1];
	int file = openat(fd, REPORT_JSON, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (file < 0)
		return false;
	ssize_t n = read(file, head, sizeof(head));
	close(file);
	return n == (ssize_t)sizeof(head) && memcmp(head, REPORT_MARK, sizeof(head)) == 0;
}

/* What stands under the final name; `other` names the first thing that is not ours. */
static enum there look(int parent_fd, const char *name, char other[256])
{
	other[0] = '\0';
	int fd = open_folder(parent_fd, name);
	if (fd < 0)
		return errno == ENOENT ? THERE_NOTHING : THERE_OTHER;
	ark_auto(closedirp) DIR *d = list_folder(fd);
	bool empty = true;
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (is_dots(e->d_name))
			continue;
		empty = false;
		if (!is_our_file(e->d_name) && other[0] == '\0')
			snprintf(other, 256, "%s", e->d_name);
	}
	bool ours = d != NULL && !empty && other[0] == '\0' && has_mark(fd);
	close(fd);
	if (d == NULL)
		return THERE_OTHER;
	return empty ? THERE_EMPTY : ours ? THERE_REPORT : THERE_OTHER;
}

static enum ark_rc refuse_other(const struct report_folder *f, const char *other,
                                struct ark_err *err)
{
	if (other[0] != '\0')
		ark_err_set(err, ARK_KIND_REFUSED, "'%s' holds '%s', which is no part of a report",
		            f->place, other);
	else
		ark_err_set(err, ARK_KIND_REFUSED, "'%s' is there and is no report of an import",
		            f->place);
	ark_err_hint(err, "give --report a new or empty folder");
	return ARK_FAIL;
}

/* Only what a report consists of; a folder with anything else stays. */
static void remove_report(int parent_fd, const char *name, int fd)
{
	for (size_t i = 0; i < FILES_COUNT; i++)
		unlinkat(fd, FILES[i], 0);
	unlinkat(parent_fd, name, AT_REMOVEDIR);
}

static size_t part_prefix(const char *name, char prefix[256])
{
	int n = snprintf(prefix, 256, ".%.*s" PART, PART_NAME_BYTES, name);
	return (size_t)n;
}

static bool is_part(const char *name, const char *prefix, size_t prefix_len)
{
	return strncmp(name, prefix, prefix_len) == 0 && strlen(name + prefix_len) == PART_HEX &&
	       strspn(name + prefix_len, "0123456789abcdef") == PART_HEX;
}

/* Remove what killed runs left: ours by name and owner, and with a lock that nobody holds. */
static void sweep(const struct report_folder *f)
{
	char prefix[256];
	size_t prefix_len = part_prefix(f->name, prefix);
	ark_auto(closedirp) DIR *d = list_folder(f->parent_fd);
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (!is_part(e->d_name, prefix, prefix_len))
			continue;
		int fd = open_folder(f->parent_fd, e->d_name);
		struct stat st;
		if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
		    flock(fd, LOCK_EX | LOCK_NB) == 0)
			remove_report(f->parent_fd, e->d_name, fd);
		if (fd >= 0)
			close(fd);
	}
}

static enum ark_rc random_part(const struct report_folder *f, char part[256], struct ark_err *err)
{
	char prefix[256];
	uint64_t r;
	part_prefix(f->name, prefix);
	if (getrandom(&r, sizeof(r), 0) != (ssize_t)sizeof(r))
		return ark_err_errno(err, errno, "cannot get random bytes");
	snprintf(part, 256, "%.*s%016llx", PART_NAME_BYTES + 16, prefix, (unsigned long long)r);
	return ARK_OK;
}

/* Make and lock the folder to fill. Between the two another run may take it for a rest. */
static enum ark_rc make_part(struct report_folder *f, struct ark_err *err)
{
	for (unsigned tries = 0; tries < 8; tries++) {
		enum ark_rc rc = random_part(f, f->part, err);
		if (rc < 0)
			return rc;
		if ((errno = ark_fail_step("make the folder of the report")) != 0 ||
		    mkdirat(f->parent_fd, f->part, 0700) != 0)
			return ark_err_errno(err, errno,
			                     "cannot create a folder for the report beside '%s'",
			                     f->place);
		int fd = open_folder(f->parent_fd, f->part);
		struct stat st;
		/* file systems without locks on folders: never swept either */
		bool locked =
		    fd >= 0 && (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK);
		if (locked && fstat(fd, &st) == 0 && st.st_nlink > 0) {
			f->fd = fd;
			return ARK_OK;
		}
		if (fd >= 0)
			close(fd);
	}
	return ark_err_stop(err, ARK_KIND_IO, "cannot keep a folder for the report beside '%s'",
	                    f->place);
}

/* The absolute path of DIR, whose last part need not exist; NULL with errno. */
static char *resolve(const char *dir)
{
	char *whole = realpath(dir, NULL);
	if (whole != NULL || errno != ENOENT)
		return whole;
	struct ark_str path = ark_str_z(dir);
	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	size_t slash = path.len;
	while (slash > 0 && path.ptr[slash - 1] != '/')
		slash--;
	struct ark_str base = ark_str_from(path, slash);
	ark_auto(ark_freep) char *parent =
	    slash == 0 ? ark_strdupz(".") : ark_strdup(ark_str_first(path, slash));
	ark_auto(ark_freep) char *real = realpath(parent, NULL);
	if (real == NULL || base.len == 0 || base.len > 255) {
		errno = real == NULL ? errno : base.len > 255 ? ENAMETOOLONG : ENOENT;
		return NULL;
	}
	ark_auto(ark_buf_release) struct ark_buf out;
	ark_buf_init(&out, SIZE_MAX / 2);
	ark_buf_z(&out, strcmp(real, "/") == 0 ? "" : real);
	ark_buf_c(&out, '/');
	ark_buf_str(&out, base);
	return ark_strdup(ark_buf_view(&out));
}

static enum ark_rc open_parent(const char *dir, struct report_folder *f, struct ark_err *err)
{
	f->place = resolve(dir);
	if (f->place == NULL && errno == ENOENT) {
		ark_err_set(err, ARK_KIND_MISSING, "the folder that is to hold '%s' is not there",
		            dir);
		ark_err_hint(err, "create it first");
		return ARK_FAIL;
	}
	if (f->place == NULL)
		return ark_err_errno(err, errno, "cannot use '%s' for the report", dir);
	char *slash = strrchr(f->place, '/');
	f->name = ark_strdupz(slash + 1);
	if (f->name[0] == '\0')
		return ark_err_set(err, ARK_KIND_REFUSED, "'/' cannot be the folder of a report");
	ark_auto(ark_freep) char *parent =
	    slash == f->place ? ark_strdupz("/")
			      : ark_strdup(ark_str_n(f->place, (size_t)(slash - f->place)));
	f->parent_fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->parent_fd < 0)
		return ark_err_errno(err, errno, "cannot open '%s'", parent);
	return ARK_OK;
}

enum ark_rc report_folder_begin(const char *dir, struct report_folder *out, struct ark_err *err)
{
	char other[256];
	*out = (struct report_folder){ .fd = -1, .parent_fd = -1 };
	enum ark_rc rc = open_parent(dir, out, err);
	if (rc >= 0 && look(out->parent_fd, out->name, other) == THERE_OTHER)
		rc = refuse_other(out, other, err);
	if (rc < 0)
		return rc;
	sweep(out);
	return make_part(out, err);
}

/* Put the new report where the earlier one is. Where the file system cannot exchange two names
 * there is a moment without either, and the earlier one comes back if the second rename fails. */
static enum ark_rc replace(struct report_folder *f, char old[256], struct ark_err *err)
{
	snprintf(old, 256, "%s", f->part);
	if ((errno = ark_fail_step("exchange the reports")) != 0)
		return ark_err_errno(err, errno, "cannot replace '%s'", f->place);
	if (renameat2(f->parent_fd, f->part, f->parent_fd, f->name, RENAME_EXCHANGE) == 0)
		return ARK_OK;
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return ark_err_errno(err, errno, "cannot replace '%s'", f->place);
	enum ark_rc rc = random_part(f, old, err);
	if (rc < 0)
		return rc;
	if (renameat(f->parent_fd, f->name, f->parent_fd, old) != 0)
		return ark_err_errno(err, errno, "cannot replace '%s'", f->place);
	if (renameat(f->parent_fd, f->part, f->parent_fd, f->name) == 0)
		return ARK_OK;
	int errnum = errno;
	renameat(f->parent_fd, old, f->parent_fd, f->name);
	return ark_err_errno(err, errnum, "cannot replace '%s'", f->place);
}

/* The earlier report again, and the new one is given up. */
static void put_back(struct report_folder *f, const char *old)
{
	if (strcmp(old, f->part) == 0)
		f->published = renameat2(f->parent_fd, f->part, f->parent_fd, f->name, RENAME_EXCHANGE) != 0;
	else if (renameat(f->parent_fd, f->name, f->parent_fd, f->part) == 0)
		f->published = renameat(f->parent_fd, old, f->parent_fd, f->name) != 0;
}

enum ark_rc report_folder_publish(struct report_folder *f, struct ark_err *err)
{
	char other[256], old[256] = "";
	if ((errno = ark_fail_step("sync the folder of the report")) != 0 || fsync(f->fd) != 0)
		return ark_err_errno(err, errno, "cannot write '%s'", f->place);
	enum there there = look(f->parent_fd, f->name, other);
	if (there == THERE_OTHER)
		return refuse_other(f, other, err);
	if (there == THERE_REPORT) {
		enum ark_rc rc = replace(f, old, err);
		if (rc < 0)
			return rc;
	} else if ((errno = ark_fail_step("rename the report")) != 0 ||
		   renameat(f->parent_fd, f->part, f->parent_fd, f->name) != 0) {
		return ark_err_errno(err, errno, "cannot give the report its name '%s'", f->place);
	}
	f->published = true;
	if ((errno = ark_fail_step("sync the folder that holds the report")) != 0 ||
	    fsync(f->parent_fd) != 0) {
		enum ark_rc rc = ark_err_errno(err, errno, "cannot write the folder of '%s'", f->place);
		if (old[0] != '\0')
			put_back(f, old);
		return rc;
	}
	int fd = old[0] != '\0' ? open_folder(f->parent_fd, old) : -1;
	if (fd >= 0) {
		remove_report(f->parent_fd, old, fd);
		close(fd);
	}
	return ARK_OK;
}

void report_folder_release(struct report_folder *f)
{
	if (f->fd >= 0) {
		if (!f->published)
			remove_report(f->parent_fd, f->part, f->fd);
		close(f->fd);
	}
	if (f->parent_fd >= 0)
		close(f->parent_fd);
	free(f->place);
	free(f->name);
	*f = (struct report_folder){ .fd = -1, .parent_fd = -1 };
}
