#include "backup/repo/intent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/signal.h"
#include "common/crypt/hash.h"
#include "common/crypt/seal.h"
#include "common/repo/format.h"

#include "common/base/banned.h"

#define LOCK_FILE "lock"
#define SWEEP_FILE "lock-sweep"
#define SWEEPING "sweep"
#define SWEEP_WAIT_S 600

void condemned_release(struct condemned *c)
{
	ark_map_release(&c->packs);
	free(c->lists);
	*c = (struct condemned){ 0 };
}

struct reading {
	struct repo *r;
	struct condemned *out;
};

/* Lines of 64 hex digits behind the checksum's text. */
static enum ark_rc read_list(void *ctx, const char *key, uint64_t size, struct ark_err *err)
{
	struct reading *x = ctx;
	uint64_t generation = 0;
	const char *name = strrchr(key, '/') + 1;
	struct ark_str number = ark_str_first(ark_str_z(name), ark_str_find(ark_str_z(name), '-', 0));
	if (!ark_str_u64(number, &generation) || size > LIMIT_REPO_INDEX || strlen(key) >= 128)
		return ARK_OK; /* not one of ours */
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	struct ark_str body;
	ark_buf_init(&text, LIMIT_REPO_INDEX);
	enum ark_rc rc = repo_keep_get(repo_keep(x->r), key, 0, REPO_KEEP_ALL, &text, err);
	if (rc < 0)
		return err->kind == ARK_KIND_MISSING ? ARK_OK : rc; /* swept meanwhile */
	rc = repo_sum_check(ark_buf_view(&text), &body, err);
	if (rc < 0)
		return ark_err_in(err, rc, "'%s'", key);
	struct condemned *c = x->out;
	if (c->count == c->cap) {
		c->cap = c->cap == 0 ? 16 : 2 * c->cap;
		c->lists = ark_realloc(c->lists, c->cap, sizeof(*c->lists));
	}
	c->lists[c->count].generation = generation;
	snprintf(c->lists[c->count].key, sizeof(c->lists[0].key), "%s", key);
	c->generation = generation > c->generation ? generation : c->generation;
	while (body.len > REPO_ID_HEX) {
		struct repo_id pack;
		if (!repo_id_parse(ark_str_first(body, REPO_ID_HEX), &pack) || body.ptr[REPO_ID_HEX] != '\n')
			return ark_err_set(err, ARK_KIND_INPUT, "'%s' has a line that is no pack", key);
		ark_map_put(&c->packs, ark_str_n((const char *)pack.b, REPO_ID_BYTES), (uint32_t)c->count);
		body = ark_str_from(body, REPO_ID_HEX + 1);
	}
	c->count++;
	return ARK_OK;
}

enum ark_rc condemned_read(struct repo *r, struct condemned *out, struct ark_err *err)
{
	struct reading x = { .r = r, .out = out };
	*out = (struct condemned){ 0 };
	enum ark_rc rc = repo_keep_list(repo_keep(r), REPO_DIR_CONDEMNED, read_list, &x, err);
	if (rc < 0)
		condemned_release(out);
	return rc;
}

static void random_hex(char out[17])
{
	unsigned char bytes[8];
	crypt_random(bytes, sizeof(bytes));
	crypt_hex(bytes, sizeof(bytes), out);
}

enum ark_rc condemned_write(struct repo *r, const struct condemned *now, const struct repo_id *packs,
                            size_t count, uint64_t *generation, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	char key[128], random[17];
	ark_buf_init(&text, LIMIT_REPO_INDEX);
	for (size_t i = 0; i < count; i++) {
		repo_id_add(&packs[i], &text);
		ark_buf_c(&text, '\n');
	}
	repo_sum_add(&text);
	*generation = now->generation + 1;
	random_hex(random);
	snprintf(key, sizeof(key), REPO_DIR_CONDEMNED "%08llu-%s", (unsigned long long)*generation, random);
	enum ark_rc rc = ark_buf_ok(&text, "the list of what is condemned", err);
	return rc < 0 ? rc : repo_keep_put(repo_keep(r), key, ark_buf_view(&text), REPO_KEEP_FIRST, err);
}

/* --- intents -------------------------------------------------------------------------------------- */

/* Of this start of the machine: process numbers mean nothing in another. */
static void boot_id(char out[64])
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	struct ark_err err = { 0 };
	ark_buf_init(&text, 4096);
	if (repo_file_slurp("/proc/sys/kernel/random/boot_id", &text, &err) < 0)
		ark_buf_z(&text, "unknown");
	snprintf(out, 64, "%.*s", ARK_FMT(ark_str_trim(ark_buf_view(&text))));
}

static enum ark_rc lock_folder(struct repo *r, const char *file, int how, int *out, bool *held,
                               struct ark_err *err)
{
	const char *folder = repo_keep_folder(repo_keep(r));
	ark_auto(ark_buf_release) struct ark_buf path = { 0 };
	*out = -1;
	*held = false;
	if (folder == NULL)
		return ARK_OK;
	ark_buf_init(&path, 8192);
	ark_buf_fmt(&path, "%s/%s", folder, file);
	int fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return ark_err_errno(err, errno, "cannot open '%s'", path.data);
	while (flock(fd, how) != 0) {
		if (errno == EINTR)
			continue;
		int e = errno;
		close(fd);
		return e == EWOULDBLOCK ? ARK_OK : ark_err_errno(err, e, "cannot lock '%s'", path.data);
	}
	*out = fd;
	*held = true;
	return ARK_OK;
}

static enum ark_rc publish(struct intent *i, const char *purpose, uint64_t generation, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	char host[128] = "", boot[64], random[17];
	gethostname(host, sizeof(host) - 1);
	boot_id(boot);
	random_hex(random);
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	ark_buf_fmt(&text, "generation %llu\nbegun_ms %lld\npurpose %s\nhost %s\nboot %s\npid %ld\n",
	            (unsigned long long)generation, (long long)ark_time_now_ms(), purpose, host, boot,
	            (long)getpid());
	repo_sum_add(&text);
	snprintf(i->key, sizeof(i->key), REPO_DIR_INTENTS "%s", random);
	enum ark_rc rc = repo_keep_put(repo_keep(i->r), i->key, ark_buf_view(&text), REPO_KEEP_FIRST, err);
	if (rc < 0)
		i->key[0] = '\0';
	return rc;
}

static enum ark_rc still_swept(struct ark_err *err)
{
	ark_err_set(err, ARK_KIND_LOCKED, "the repository has been swept for %d s", SWEEP_WAIT_S);
	ark_err_hint(err, "when nobody sweeps it any more: prune --sweep names whose intent it is, and --drop-intent forgets it");
	return ARK_FAIL;
}

/* Waits while somebody sweeps: that lasts as long as deleting files does. */
static enum ark_rc wait_for_sweep(struct intent *i, struct ark_err *err)
{
	bool held = false;
	for (int waited = 0; waited < SWEEP_WAIT_S * 10; waited++) {
		enum ark_rc rc = lock_folder(i->r, LOCK_FILE, LOCK_SH | LOCK_NB, &i->lock, &held, err);
		if (rc < 0 || held || repo_keep_folder(repo_keep(i->r)) == NULL)
			return rc;
		rc = ark_interrupt_check(err);
		if (rc < 0)
			return rc;
		usleep(100000);
	}
	return still_swept(err);
}

static enum ark_rc begin(struct repo *r, const char *purpose, bool knows, struct intent *out,
                         struct condemned *condemned, struct ark_err *err)
{
	ark_auto(condemned_release) struct condemned before = { 0 };
	*out = INTENT_NONE;
	out->r = r;
	enum ark_rc rc = wait_for_sweep(out, err);
	if (rc == ARK_OK)
		rc = condemned_read(r, &before, err);
	out->knows_nothing = !knows;
	if (rc == ARK_OK)
		rc = publish(out, purpose, knows ? before.generation : 0, err);
	if (rc == ARK_OK)
		rc = condemned_read(r, condemned, err);
	if (rc < 0)
		intent_release(out);
	return rc;
}

enum ark_rc intent_begin(struct repo *r, const char *purpose, struct intent *out,
                         struct condemned *condemned, struct ark_err *err)
{
	return begin(r, purpose, true, out, condemned, err);
}

enum ark_rc intent_begin_knowing_nothing(struct repo *r, const char *purpose, struct intent *out,
                                         struct condemned *condemned, struct ark_err *err)
{
	return begin(r, purpose, false, out, condemned, err);
}

enum ark_rc intent_end(struct intent *i, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	if (i->key[0] != '\0')
		rc = repo_keep_remove(repo_keep(i->r), i->key, err);
	i->key[0] = '\0';
	if (i->lock >= 0)
		close(i->lock);
	i->lock = -1;
	return rc;
}

void intent_release(struct intent *i)
{
	struct ark_err err = { 0 };
	intent_end(i, &err);
}

struct reading_intents {
	struct repo *r;
	struct open_intents *out;
	bool folder, alone; /* nobody else writes into the folder */
	char host[128], boot[64];
};

static struct ark_str line_of(struct ark_str text, const char *key)
{
	while (text.len > 0) {
		size_t end = ark_str_find(text, '\n', 0);
		struct ark_str line = ark_str_first(text, end);
		if (ark_str_starts(line, ark_str_z(key)) && line.len > strlen(key) && line.ptr[strlen(key)] == ' ')
			return ark_str_from(line, strlen(key) + 1);
		text = end == SIZE_MAX ? ark_str_from(text, text.len) : ark_str_from(text, end + 1);
	}
	return ARK_LIT("");
}

static enum ark_rc read_intent(void *ctx, const char *key, uint64_t size, struct ark_err *err)
{
	struct reading_intents *x = ctx;
	ark_auto(ark_buf_release) struct ark_buf text = { 0 };
	struct ark_str body = ARK_LIT("");
	struct open_intent i = { .dead = x->folder && x->alone };
	if (size > LIMIT_REPO_SMALL)
		return ARK_OK;
	ark_buf_init(&text, LIMIT_REPO_SMALL);
	enum ark_rc rc = repo_keep_get(repo_keep(x->r), key, 0, REPO_KEEP_ALL, &text, err);
	if (rc < 0)
		return err->kind == ARK_KIND_MISSING ? ARK_OK : rc;
	/* a damaged one counts as open since the beginning: it delays, it does not endanger */
	bool good = repo_sum_check(ark_buf_view(&text), &body, err) == ARK_OK;
	uint64_t pid = 0, begun = 0;
	snprintf(i.name, sizeof(i.name), "%s", strrchr(key, '/') + 1);
	if (good) {
		(void)ark_str_u64(line_of(body, "generation"), &i.generation);
		(void)ark_str_u64(line_of(body, "begun_ms"), &begun);
		(void)ark_str_u64(line_of(body, "pid"), &pid);
		i.begun_ms = (int64_t)begun;
		i.sweeps = ark_str_eqz(line_of(body, "purpose"), SWEEPING);
		bool here = ark_str_eqz(line_of(body, "host"), x->host) && ark_str_eqz(line_of(body, "boot"), x->boot);
		if (!x->folder && here && pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH)
			i.dead = true;
	}
	snprintf(i.who, sizeof(i.who), "%.*s on %.*s, process %llu", ARK_FMT(line_of(body, "purpose")),
	         ARK_FMT(line_of(body, "host")), (unsigned long long)pid);
	x->out->items = ark_realloc(x->out->items, x->out->count + 1, sizeof(i));
	x->out->items[x->out->count++] = i;
	return ARK_OK;
}

static void begin_reading(struct reading_intents *x)
{
	*x->out = (struct open_intents){ 0 };
	gethostname(x->host, sizeof(x->host) - 1);
	boot_id(x->boot);
}

enum ark_rc intents_read(struct repo *r, struct intent *guard, struct open_intents *out,
                         struct ark_err *err)
{
	struct reading_intents x = { .r = r, .out = out, .folder = repo_keep_folder(repo_keep(r)) != NULL };
	begin_reading(&x);
	*guard = INTENT_NONE;
	guard->r = r;
	enum ark_rc rc = lock_folder(r, LOCK_FILE, LOCK_EX | LOCK_NB, &guard->lock, &x.alone, err);
	guard->exclusive = x.alone;
	if (rc == ARK_OK)
		rc = repo_keep_list(repo_keep(r), REPO_DIR_INTENTS, read_intent, &x, err);
	return rc;
}

void open_intents_release(struct open_intents *o)
{
	free(o->items);
	*o = (struct open_intents){ 0 };
}

/* Of two that publish at the same time each one sees the other, or one of them does: both may give way. */
static enum ark_rc sweeps_elsewhere(const struct intent *mine, bool *found, struct open_intent *other,
                                    struct ark_err *err)
{
	ark_auto(open_intents_release) struct open_intents open = { 0 };
	struct reading_intents x = { .r = mine->r, .out = &open };
	begin_reading(&x);
	enum ark_rc rc = repo_keep_list(repo_keep(mine->r), REPO_DIR_INTENTS, read_intent, &x, err);
	*found = false;
	for (size_t i = 0; i < open.count && !*found; i++) {
		const struct open_intent *o = &open.items[i];
		*found = o->sweeps && !o->dead && strcmp(o->name, mine->key + strlen(REPO_DIR_INTENTS)) != 0;
		if (*found)
			*other = *o;
	}
	return rc;
}

enum ark_rc sweep_begin(struct repo *r, struct intent *out, bool *alone, struct open_intent *other,
                        struct ark_err *err)
{
	*out = INTENT_NONE;
	*other = (struct open_intent){ 0 };
	out->r = r;
	if (repo_keep_folder(repo_keep(r)) != NULL)
		return lock_folder(r, SWEEP_FILE, LOCK_EX | LOCK_NB, &out->lock, alone, err);
	bool found = false;
	enum ark_rc rc = publish(out, SWEEPING, UINT64_MAX, err);
	if (rc == ARK_OK)
		rc = sweeps_elsewhere(out, &found, other, err);
	*alone = rc == ARK_OK && !found;
	if (!*alone)
		intent_release(out);
	return rc;
}

/* Does a sweep run? In a folder it holds a lock, and ends with its process. */
static enum ark_rc sweep_runs(struct intent *i, bool *runs, struct ark_err *err)
{
	struct open_intent other;
	if (repo_keep_folder(repo_keep(i->r)) == NULL)
		return sweeps_elsewhere(i, runs, &other, err);
	int lock = -1;
	bool held = false;
	enum ark_rc rc = lock_folder(i->r, SWEEP_FILE, LOCK_SH | LOCK_NB, &lock, &held, err);
	*runs = !held;
	if (lock >= 0)
		close(lock);
	return rc;
}

enum ark_rc intent_hold(struct intent *i, struct ark_err *err)
{
	char known[sizeof(i->key)];
	bool runs = true;
	if (i->knows_nothing)
		return ARK_OK;
	/* the new one first: there is no moment without */
	memcpy(known, i->key, sizeof(known));
	enum ark_rc rc = publish(i, "hold", 0, err);
	if (rc < 0) {
		memcpy(i->key, known, sizeof(known));
		return rc;
	}
	i->knows_nothing = true;
	rc = repo_keep_remove(repo_keep(i->r), known, err);
	for (int waited = 0; rc == ARK_OK && waited < SWEEP_WAIT_S * 10; waited++) {
		rc = sweep_runs(i, &runs, err);
		if (rc < 0 || !runs)
			return rc;
		rc = ark_interrupt_check(err);
		usleep(100000);
	}
	return rc < 0 ? rc : still_swept(err);
}

enum ark_rc intent_drop(struct repo *r, const char *name, struct ark_err *err)
{
	char key[128];
	if (strlen(name) != 16 || strspn(name, "0123456789abcdef") != 16)
		return ark_err_set(err, ARK_KIND_USAGE, "'%s' is no name of an intent", name);
	snprintf(key, sizeof(key), REPO_DIR_INTENTS "%s", name);
	return repo_keep_remove(repo_keep(r), key, err);
}
