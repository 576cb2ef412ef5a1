#include "import/load/password.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/csv.h"
#include "common/base/mem.h"
#include "common/crypt/password.h"
#include "common/io/publish.h"
#include "import/load/account.h"

#include "common/base/banned.h"

#define THREADS_MAX 16
#define HEADER "username,email,password\r\n"

struct entry {
	uint32_t person;
	char plain[CRYPT_PASSWORD_LEN + 1];
	char hash[CRYPT_BCRYPT_LEN + 1];
};

struct passwords {
	struct entry *list; /* by person */
	uint32_t count;
	/* while they are made */
	uint32_t next;
	enum ark_rc rc;
	struct ark_err err;
};

void passwords_free(struct passwords *p)
{
	if (p == NULL)
		return;
	if (p->list != NULL)
		explicit_bzero(p->list, p->count * sizeof(*p->list));
	free(p->list);
	free(p);
}

static int by_person(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return (x->person > y->person) - (x->person < y->person);
}

const char *passwords_hash(const struct passwords *p, uint32_t person)
{
	struct entry key = { .person = person };
	const struct entry *e = p == NULL || p->count == 0
	                            ? NULL
	                            : bsearch(&key, p->list, p->count, sizeof(key), by_person);
	return e != NULL ? e->hash : "";
}

static bool wanted(struct load *l, uint32_t person)
{
	const struct slack_person *p = &l->x->people.list[person];
	ark_auto(ark_buf_release) struct ark_buf auth;
	ark_buf_init(&auth, 4096);
	return p->kind == PERSON_HUMAN && p->listed && p->active && !p->matched && !p->merged &&
	       !(p->guest && l->set.guests == GUESTS_SKIP) && account_auth(l, person, &auth) == NULL;
}

static void *work(void *ctx)
{
	struct passwords *p = ctx;
	for (;;) {
		uint32_t i = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);
		if (i >= p->count)
			return NULL;
		struct ark_err err = { 0 };
		crypt_password_random(p->list[i].plain);
		enum ark_rc rc = crypt_password_hash(p->list[i].plain, p->list[i].hash, &err);
		if (rc < 0 && __atomic_exchange_n(&p->rc, rc, __ATOMIC_ACQ_REL) == ARK_OK)
			p->err = err;
	}
}

static enum ark_rc hash_all(struct passwords *p, struct ark_err *err)
{
	pthread_t threads[THREADS_MAX];
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned count = 0, most = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (unsigned)cores;
	while (count + 1 < most && count + 1 < p->count && pthread_create(&threads[count], NULL, work, p) == 0)
		count++;
	work(p);
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	if (p->rc < 0)
		*err = p->err;
	return p->rc;
}

/* What is there of an earlier run; empty when there is none. */
static enum ark_rc read_old(const char *path, struct ark_buf *out, struct ark_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return ARK_OK;
	enum ark_rc rc = fd < 0 ? ark_err_errno(err, errno, "cannot read '%s'", path) : ARK_OK;
	while (rc == ARK_OK) {
		char block[65536];
		ssize_t n = read(fd, block, sizeof(block));
		if (n < 0)
			rc = ark_err_errno(err, errno, "cannot read '%s'", path);
		if (n <= 0)
			break;
		ark_buf_add(out, block, (size_t)n);
	}
	if (fd >= 0)
		close(fd);
	if (rc == ARK_OK)
		rc = ark_buf_ok(out, path, err);
	if (rc == ARK_OK && out->len > 0 && !ark_str_starts(ark_buf_view(out), ARK_LIT(HEADER))) {
		ark_err_set(err, ARK_KIND_REFUSED, "'%s' is there and is no list of passwords", path);
		ark_err_hint(err, "name another file for --password-file");
		return ARK_FAIL;
	}
	return rc;
}

enum ark_rc passwords_make(struct load *l, struct ark_err *err)
{
	if (l->set.password_file == NULL)
		return ARK_OK;
	ark_auto(ark_buf_release) struct ark_buf old;
	ark_buf_init(&old, LIMIT_MAP_FILE);
	enum ark_rc rc = read_old(l->set.password_file, &old, err);
	if (rc < 0)
		return rc;
	struct passwords *p = ark_calloc(1, sizeof(*p));
	l->passwords = p;
	uint32_t people = l->x->people.count;
	p->list = ark_calloc(people + (size_t)1, sizeof(*p->list));
	for (uint32_t i = 0; i < people; i++)
		if (wanted(l, i))
			p->list[p->count++].person = i;
	return hash_all(p, err);
}

/* The old lines but those of accounts that are made now. */
static enum ark_rc keep_old(const struct load *l, struct ark_str old, struct ark_buf *out, struct ark_err *err)
{
	ark_auto(ark_map_release) struct ark_map fresh = { 0 };
	ark_auto(ark_pool_release) struct ark_pool pool = { 0 };
	for (uint32_t i = 0; i < l->passwords->count; i++)
		ark_map_put(&fresh, l->x->people.list[l->passwords->list[i].person].username, i);
	struct ark_csv csv;
	struct ark_str cells[3];
	size_t count = 0;
	ark_csv_begin(&csv, old);
	enum ark_rc rc = ARK_OK;
	while ((rc = ark_csv_next(&csv, &pool, cells, 3, &count, err)) == ARK_OK)
		if (csv.line > 1 && count == 3 && ark_map_get(&fresh, cells[0]) == ARK_MAP_NONE)
			ark_buf_fmt(out, "%.*s,%.*s,%.*s\r\n", ARK_FMT(cells[0]), ARK_FMT(cells[1]), ARK_FMT(cells[2]));
	return rc == ARK_END ? ARK_OK : rc;
}

enum ark_rc passwords_write(struct load *l, struct ark_err *err)
{
	const char *path = l->set.password_file;
	if (l->passwords == NULL)
		return ARK_OK;
	ark_auto(ark_buf_release) struct ark_buf old;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_auto(ark_buf_release) struct ark_buf mail;
	ark_buf_init(&old, LIMIT_MAP_FILE);
	ark_buf_init(&text, SIZE_MAX / 2);
	ark_buf_init(&mail, 1u << 20);
	enum ark_rc rc = read_old(path, &old, err);
	ark_buf_z(&text, HEADER);
	if (rc == ARK_OK)
		rc = keep_old(l, ark_buf_view(&old), &text, err);
	for (uint32_t i = 0; rc == ARK_OK && i < l->passwords->count; i++) {
		const struct entry *e = &l->passwords->list[i];
		ark_buf_reset(&mail);
		account_email(l, e->person, &mail);
		ark_buf_fmt(&text, "%.*s,%.*s,%s\r\n", ARK_FMT(l->x->people.list[e->person].username),
		            ARK_FMT(ark_buf_view(&mail)), e->plain);
	}
	ark_auto(io_publish_release) struct io_publish file = IO_PUBLISH_NONE;
	if (rc == ARK_OK)
		rc = io_publish_begin(path, &file, err);
	if (rc == ARK_OK)
		rc = io_publish_write(&file, text.data, text.len, err);
	if (rc == ARK_OK)
		rc = io_publish_finish(&file, err);
	explicit_bzero(text.data, text.len);
	explicit_bzero(old.data, old.len);
	return rc;
}
