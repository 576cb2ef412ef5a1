/*
 * Why flock and not a counter of users: the kernel lets go of a lock when its holder dies, however it
 * dies. Shared means "I use the server", exclusive means "nobody uses it, I may start or stop it".
 */
#include "common/db/embedded.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/db/cluster.h"

#include "common/base/banned.h"

#define LOCK_LIMIT_MS 600000 /* for others to make, start or stop it */
#define STEP_US 30000
#define SOCKET_NAME "/.s.PGSQL." DB_CLUSTER_PORT

struct db_embedded {
	struct db_cluster cluster;
	int lock_fd;
	char dsn[256];
	char files[4096];
};

const char *db_embedded_default_dir(void)
{
	return geteuid() == 0 ? "/var/lib/matterark" : "./matterark-data";
}

/* --- the folder ------------------------------------------------------------------------------ */

/* Absolute path without links for the part that exists; `there` is how much of it that is. */
static enum ark_rc absolute(const char *dir, char *out, size_t size, size_t *there,
                            struct ark_err *err)
{
	if (dir[0] == '\0')
		dir = ".";
	ark_auto(ark_freep) char *head = ark_strdupz(dir);
	for (size_t cut = strlen(head);;) {
		ark_auto(ark_freep) char *real = realpath(head, NULL);
		const char *rest = dir + cut;
		if (real != NULL) {
			int n = snprintf(out, size, "%s%s%s", strcmp(real, "/") == 0 ? "" : real,
			                 rest[0] != '\0' && rest[0] != '/' ? "/" : "", rest);
			while (n > 1 && (size_t)n < size && out[n - 1] == '/')
				out[--n] = '\0';
			*there = strcmp(real, "/") == 0 ? 0 : strlen(real);
			if (n <= 0 || (size_t)n + 32 > size || strstr(out, "/../") != NULL ||
			    ark_str_ends(ark_str_z(out), ARK_LIT("/..")))
				return ark_err_set(err, ARK_KIND_USAGE, "cannot use the path '%s'", dir);
			return ARK_OK;
		}
		if (errno != ENOENT)
			return ark_err_errno(err, errno, "cannot reach '%s'", head);
		while (cut > 0 && head[cut - 1] == '/')
			cut--;
		while (cut > 0 && head[cut - 1] != '/')
			cut--;
		head[cut] = '\0';
		if (cut == 0) {
			free(head);
			head = ark_strdupz(".");
		}
	}
}

static enum ark_rc refuse_unreachable(const struct db_user *user, const char *path,
                                      struct ark_err *err)
{
	struct stat st;
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
		ark_err_set(err, ARK_KIND_REFUSED, "'%s' is no folder", path);
		ark_err_hint(err, "name another folder with --embedded=DIR; it is made when it is not there");
		return ARK_FAIL;
	}
	if (user->other)
		ark_err_set(err, ARK_KIND_REFUSED, "the user '%s' cannot reach '%s'", user->name, path);
	else
		ark_err_set(err, ARK_KIND_REFUSED, "'%s' cannot be reached or written to", path);
	ark_err_hint(err, user->other
	             ? "PostgreSQL does not run as root; name a folder outside of private ones, such as "
	               "--embedded=/var/lib/matterark"
	             : "name a folder of yours with --embedded=DIR");
	return ARK_FAIL;
}

/* Every folder on the way must let the server's user through; the last one that exists must let us
 * make the rest. */
static enum ark_rc check_way(const struct db_user *user, const char *path, size_t there,
                             struct ark_err *err)
{
	ark_auto(ark_freep) char *part = ark_strdupz(path);
	for (size_t i = 1; i <= there; i++) {
		char saved = part[i];
		if (saved != '/' && saved != '\0')
			continue;
		part[i] = '\0';
		bool good = db_user_can(user, part, X_OK);
		if (!good)
			return refuse_unreachable(user, part, err);
		part[i] = saved;
	}
	part[there > 0 ? there : 1] = '\0';
	if (path[there] != '\0' && access(part, W_OK) != 0)
		return refuse_unreachable(user, part, err);
	return ARK_OK;
}

/* Empty, or ours from an earlier time. */
static bool is_usable(const char *path, bool *empty)
{
	DIR *d = opendir(path);
	bool ours = false;
	*empty = true;
	for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		*empty = false;
		ours = ours || strcmp(e->d_name, "lock") == 0;
	}
	if (d == NULL)
		return false;
	closedir(d);
	return *empty || ours;
}

static enum ark_rc refuse_folder(const char *path, const char *why, struct ark_err *err)
{
	ark_err_set(err, ARK_KIND_REFUSED, "'%s' %s", path, why);
	ark_err_hint(err, "name another folder with --embedded=DIR; it is made when it is not there");
	return ARK_FAIL;
}

/* A folder that is there: ours to use, and the server's user's. */
static enum ark_rc take_folder(const struct db_user *user, const char *path, struct ark_err *err)
{
	struct stat st;
	bool empty;
	if (stat(path, &st) != 0)
		return ark_err_errno(err, errno, "cannot look at '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return refuse_folder(path, "is no folder", err);
	if (!is_usable(path, &empty))
		return refuse_folder(path, "holds something else than an embedded database", err);
	if (st.st_uid != user->uid && !(empty && geteuid() == 0 && st.st_uid == 0))
		return refuse_folder(path, "belongs to another user", err);
	if (st.st_uid != user->uid && lchown(path, user->uid, user->gid) != 0)
		return ark_err_errno(err, errno, "cannot give away '%s'", path);
	if ((st.st_mode & 0777) != 0700 && chmod(path, 0700) != 0)
		return ark_err_errno(err, errno, "cannot close '%s' to others", path);
	return ARK_OK;
}

/* The folders that are not there yet; only the last one is private. */
static enum ark_rc make_folder(const struct db_user *user, const char *path, size_t there,
                               struct ark_err *err)
{
	ark_auto(ark_freep) char *part = ark_strdupz(path);
	for (size_t i = there + 1; part[i - 1] != '\0'; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		bool last = part[i] == '\0';
		part[i] = '\0';
		bool made = mkdir(part, 0700) == 0;
		if ((!made && errno != EEXIST) || (made && !last && chmod(part, 0755) != 0))
			return ark_err_errno(err, errno, "cannot make '%s'", part);
		if (last)
			break;
		part[i] = '/';
	}
	return take_folder(user, path, err);
}

/* DIR, checked and there. Nothing is written before all that can be refused is. */
static enum ark_rc open_folder(struct db_embedded *e, const struct db_embedded_options *opt,
                               struct ark_err *err)
{
	struct db_cluster *c = &e->cluster;
	size_t there = 0;
	const char *dir = opt->dir != NULL ? opt->dir : db_embedded_default_dir();
	enum ark_rc rc = absolute(dir, c->dir, sizeof(c->dir), &there, err);
	if (rc == ARK_OK)
		rc = check_way(&c->user, c->dir, there, err);
	if (rc < 0)
		return rc;
	snprintf(c->data, sizeof(c->data), "%.4000s/pg", c->dir);
	snprintf(c->data_new, sizeof(c->data_new), "%.4000s/pg.tmp", c->dir);
	snprintf(c->log, sizeof(c->log), "%.4000s/server.log", c->dir);
	snprintf(e->files, sizeof(e->files), "%.4000s/files", c->dir);
	int version = c->dir[there] == '\0' ? db_cluster_version(c) : 0;
	if (version == 0 && !opt->create) {
		ark_err_set(err, ARK_KIND_MISSING, "there is no embedded database in '%s'", c->dir);
		ark_err_hint(err, "name its folder with --embedded=DIR, or a server with --database");
		return ARK_FAIL;
	}
	rc = db_cluster_find(c, opt->programs, opt->scratch ? 0 : version, err);
	if (rc < 0)
		return rc;
	return c->dir[there] == '\0' ? take_folder(&c->user, c->dir, err)
	                             : make_folder(&c->user, c->dir, there, err);
}

/* --- the socket ------------------------------------------------------------------------------ */

static uint64_t hash_of(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u; /* FNV-1a: a short name, nothing more */
	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return h;
}

/* A private folder of the server's user in the run directory. */
static enum ark_rc short_socket_dir(struct db_cluster *c, struct ark_err *err)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	if (c->user.other)
		base = "/run";
	if (base == NULL || base[0] != '/' || strlen(base) > 60 || access(base, W_OK) != 0)
		base = "/tmp";
	snprintf(c->socket_dir, sizeof(c->socket_dir), "%s/matterark-%ld-%016llx", base,
	         (long)c->user.uid, (unsigned long long)hash_of(c->dir));
	struct stat st;
	if (mkdir(c->socket_dir, 0700) == 0) {
		if (c->user.other && lchown(c->socket_dir, c->user.uid, c->user.gid) != 0)
			return ark_err_errno(err, errno, "cannot give away '%s'", c->socket_dir);
	} else if (errno != EEXIST) {
		return ark_err_errno(err, errno, "cannot make '%s'", c->socket_dir);
	}
	if (lstat(c->socket_dir, &st) != 0 || !S_ISDIR(st.st_mode) || st.st_uid != c->user.uid ||
	    (st.st_mode & 0077) != 0)
		return ark_err_set(err, ARK_KIND_REFUSED,
		                   "'%s' is not a private folder of the user who runs the server",
		                   c->socket_dir);
	return ARK_OK;
}

static enum ark_rc choose_socket(struct db_embedded *e, struct ark_err *err)
{
	struct db_cluster *c = &e->cluster;
	size_t room = sizeof(((struct sockaddr_un *)NULL)->sun_path);
	enum ark_rc rc = ARK_OK;
	if (strlen(c->dir) + strlen(SOCKET_NAME) < room && strpbrk(c->dir, ",'\\\"") == NULL)
		snprintf(c->socket_dir, sizeof(c->socket_dir), "%.100s", c->dir);
	else
		rc = short_socket_dir(c, err);
	snprintf(e->dsn, sizeof(e->dsn), "host='%s' port=%s user=postgres dbname=postgres",
	         c->socket_dir, DB_CLUSTER_PORT);
	return rc;
}

/* --- the lock -------------------------------------------------------------------------------- */

static enum ark_rc open_lock(struct db_embedded *e, struct ark_err *err)
{
	char path[sizeof(e->cluster.dir) + 16];
	snprintf(path, sizeof(path), "%s/lock", e->cluster.dir);
	e->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return e->lock_fd >= 0 ? ARK_OK : ark_err_errno(err, errno, "cannot open '%s'", path);
}

/* Wait for the shared lock: somebody is making, starting or stopping the server. */
static enum ark_rc lock_shared(struct db_embedded *e, int64_t end_ms, struct ark_err *err)
{
	while (flock(e->lock_fd, LOCK_SH | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return ark_err_errno(err, errno, "cannot lock '%s/lock'", e->cluster.dir);
		if (e->cluster.interrupted != NULL && e->cluster.interrupted())
			return ark_err_stop(err, ARK_KIND_SIGNAL, "interrupted");
		if (ark_time_tick_ms() > end_ms)
			return ark_err_set(err, ARK_KIND_LOCKED,
			                   "another program keeps starting or stopping the embedded "
			                   "database in '%s'", e->cluster.dir);
		usleep(STEP_US);
	}
	return ARK_OK;
}

/* With the exclusive lock held: make it, start it. */
static enum ark_rc bring_up(struct db_embedded *e, struct ark_err *err)
{
	struct db_cluster *c = &e->cluster;
	enum ark_rc rc = ARK_OK;
	int version = db_cluster_version(c);
	if (version != 0 && version != c->major) /* only a scratch one comes here so */
		rc = db_cluster_discard(c, e->lock_fd, err);
	if (rc == ARK_OK && version != c->major)
		rc = db_cluster_make(c, e->lock_fd, err);
	if (rc == ARK_OK && !db_cluster_answers(c))
		rc = db_cluster_start(c, err);
	return rc;
}

/* Until we hold the shared lock and the server answers. Between giving up one lock and getting the
 * other somebody else may have had it, hence the loop. */
static enum ark_rc join(struct db_embedded *e, struct ark_err *err)
{
	int64_t end_ms = ark_time_tick_ms() + LOCK_LIMIT_MS;
	for (;;) {
		enum ark_rc rc = lock_shared(e, end_ms, err);
		if (rc < 0 || db_cluster_answers(&e->cluster))
			return rc;
		if (flock(e->lock_fd, LOCK_EX | LOCK_NB) == 0)
			rc = bring_up(e, err);
		else
			usleep(STEP_US);
		if (rc < 0)
			return rc;
		if (ark_time_tick_ms() > end_ms)
			return ark_err_set(err, ARK_KIND_LOCKED,
			                   "the embedded database in '%s' is in use but does not answer",
			                   e->cluster.dir);
	}
}

/* --- outside --------------------------------------------------------------------------------- */

enum ark_rc db_embedded_open(const struct db_embedded_options *opt, struct db_embedded **out,
                             struct ark_err *err)
{
	ark_auto(db_embedded_releasep) struct db_embedded *e = ark_calloc(1, sizeof(*e));
	e->lock_fd = -1;
	e->cluster.interrupted = opt->interrupted;
	enum ark_rc rc = db_user_find(&e->cluster.user, err);
	if (rc == ARK_OK)
		rc = open_folder(e, opt, err);
	if (rc == ARK_OK)
		rc = choose_socket(e, err);
	if (rc == ARK_OK)
		rc = open_lock(e, err);
	if (rc == ARK_OK)
		rc = join(e, err);
	if (rc == ARK_OK && mkdir(e->files, 0700) != 0 && errno != EEXIST)
		rc = ark_err_errno(err, errno, "cannot make '%s'", e->files);
	if (rc < 0)
		return rc;
	*out = e;
	e = NULL;
	return ARK_OK;
}

struct ark_str db_embedded_dsn(const struct db_embedded *e)
{
	return ark_str_z(e->dsn);
}

struct ark_str db_embedded_dir(const struct db_embedded *e)
{
	return ark_str_z(e->cluster.dir);
}

struct ark_str db_embedded_files(const struct db_embedded *e)
{
	return ark_str_z(e->files);
}

void db_embedded_release(struct db_embedded *e)
{
	if (e == NULL)
		return;
	if (e->lock_fd >= 0) {
		if (flock(e->lock_fd, LOCK_EX | LOCK_NB) == 0)
			db_cluster_stop(&e->cluster);
		close(e->lock_fd);
	}
	free(e);
}

void db_embedded_releasep(struct db_embedded **e)
{
	db_embedded_release(*e);
	*e = NULL;
}
