/* matter-purge plan: which messages are to go, counted, with a sample, in a file. */
#include <stdio.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/cli/human.h"
#include "common/cli/signal.h"
#include "common/io/spool.h"
#include "common/mm/purge.h"
#include "purge/app.h"
#include "purge/identity.h"
#include "purge/select.h"

#include "common/base/banned.h"

#define FLUSH 65536
#define COUNT_AT_ONCE 2000
#define SAMPLE 10
#define SAMPLE_RUNES 120
#define CHANNELS_LISTED 10000

struct making {
	struct purge_app *app;
	struct purge_scope scope;
	struct db_txn txn;
	struct io_spool body;
	struct ark_buf lines;            /* of the body, that wait for the spool */
	struct ark_buf unit, channel;    /* the latest ones */
	struct purge_left left;
	uint64_t posts, earlier, units, channels, of_others;
	uint64_t reactions, files, file_bytes;
	int64_t oldest_ms, newest_ms;    /* of posts; 0: none */
	struct ark_buf sample;           /* objects of the head, with commas */
	struct ark_buf per_channel;
	size_t sampled, listed;
};

static void making_init(struct making *m, struct purge_app *a)
{
	*m = (struct making){ .app = a, .body = IO_SPOOL_NONE };
	purge_scope_init(&m->scope);
	ark_buf_init(&m->lines, 2 * FLUSH);
	ark_buf_init(&m->unit, 256);
	ark_buf_init(&m->channel, 256);
	ark_buf_init(&m->sample, 1u << 16);
	ark_buf_init(&m->per_channel, LIMIT_SMALL_JSON / 2);
}

static void making_release(struct making *m)
{
	db_txn_end(&m->txn);
	io_spool_close(&m->body);
	purge_scope_release(&m->scope);
	ark_buf_release(&m->lines);
	ark_buf_release(&m->unit);
	ark_buf_release(&m->channel);
	ark_buf_release(&m->sample);
	ark_buf_release(&m->per_channel);
}

/* ---- what was asked for ---- */

static enum ark_rc check_usage(const struct purge_config *c, struct ark_err *err)
{
	if (!c->deleted_before.has && !c->older_than.has) {
		ark_err_set(err, ARK_KIND_USAGE, "nothing says which messages are to go");
		ark_err_hint(err, "--deleted-before 30d, or --older-than 14d with --channel");
		return ARK_FAIL;
	}
	if (c->older_than.has && c->channels.count == 0 && c->users.count == 0) {
		ark_err_set(err, ARK_KIND_USAGE, "--older-than needs --channel or --user");
		ark_err_hint(err, "--channel '*' means the channels of all teams");
		return ARK_FAIL;
	}
	if (c->out == NULL && !c->dry_run)
		return ark_err_set(err, ARK_KIND_USAGE, "--output is missing");
	return ARK_OK;
}

static enum ark_rc read_scope(struct making *m, struct ark_err *err)
{
	const struct purge_app *a = m->app;
	const struct purge_config *c = a->config;
	m->scope.deleted_before = c->deleted_before;
	m->scope.older_than = c->older_than;
	m->scope.keep_pinned = c->keep_pinned;
	enum ark_rc rc = purge_scope_names(&m->scope, a->conn, &c->channels, &c->users, err);
	if (rc == ARK_OK && c->hold != NULL)
		rc = purge_hold_read(&m->scope.hold, c->hold, a->conn, a->args->now_ms, err);
	return rc;
}

/* What this release of matterark cannot know: said, because rows of it will stay. */
static enum ark_rc say_unknown(struct purge_app *a, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = mm_purge_unknown(a->conn, &res, err);
	for (size_t i = 0; rc == ARK_OK && i < db_rows(res); i++)
		ark_warn(a->talk, "purge.unknown_table", "table '%.*s' names messages and is not known here: its rows stay; "
		         "continuing", ARK_FMT(db_value(res, i, 0)));
	return rc;
}

/* ---- the body ---- */

static enum ark_rc flush(struct making *m, size_t above, struct ark_err *err)
{
	if (m->lines.len <= above)
		return ARK_OK;
	enum ark_rc rc = io_spool_add(&m->body, io_temp_dir(), m->lines.data, m->lines.len, err);
	ark_buf_reset(&m->lines);
	return rc;
}

static bool is_new(struct ark_buf *last, struct ark_str now)
{
	if (ark_str_eq(ark_buf_view(last), now))
		return false;
	ark_buf_reset(last);
	ark_buf_str(last, now);
	return true;
}

static enum ark_rc on_pick(void *ctx, const struct purge_picked *p, struct ark_err *err)
{
	struct making *m = ctx;
	if (!plan_row_fits(p->channel_id, &p->row))
		return ark_err_set(err, ARK_KIND_REFUSED, "message '%.*s' of channel '%.*s' has an id or a time that is none",
		                   ARK_FMT(p->row.id), ARK_FMT(p->channel_id));
	if (is_new(&m->channel, p->channel_id)) {
		plan_channel_line(&m->lines, p->channel_id);
		ark_buf_reset(&m->unit);
		m->channels++;
	}
	if (is_new(&m->unit, p->unit)) {
		plan_unit_line(&m->lines);
		m->units++;
	}
	plan_row_line(&m->lines, &p->row);
	*(p->row.is_earlier ? &m->earlier : &m->posts) += 1;
	m->of_others += p->of_others && !p->row.is_earlier;
	ark_progress_add(&m->app->bar, 1, 0);
	return flush(m, FLUSH, err);
}

/* ---- counting what hangs on it ---- */

struct portion {
	struct ark_buf ids; /* {a,b} */
	size_t count;
	struct ark_buf channel;
	uint64_t in_channel;
};

static enum ark_rc count_portion(struct making *m, struct portion *p, struct ark_err *err)
{
	if (p->count == 0)
		return ARK_OK;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	ark_buf_c(&p->ids, '}');
	enum ark_rc rc = db_query_one(m->app->conn,
	                              "SELECT (SELECT count(*) FROM unnest($1::varchar[]) i CROSS JOIN LATERAL (SELECT 1 FROM "
	                              "reactions WHERE postid = i OFFSET 0) r), n, bytes, oldest, newest FROM (SELECT count(*) AS "
	                              "n, coalesce(sum(greatest(size, 0)), 0)::bigint AS bytes FROM unnest($1::varchar[]) i CROSS "
	                              "JOIN LATERAL (SELECT size FROM fileinfo WHERE postid = i OFFSET 0) s) f, (SELECT "
	                              "min(createat) AS oldest, max(createat) AS newest FROM unnest($1::varchar[]) i CROSS JOIN "
	                              "LATERAL (SELECT createat FROM posts WHERE id = i OFFSET 0) c) p",
	                              DB_PARAMS(ark_buf_view(&p->ids)), &res, err);
	ark_buf_reset(&p->ids);
	ark_buf_c(&p->ids, '{');
	p->count = 0;
	if (rc < 0)
		return rc;
	m->reactions += (uint64_t)db_i64(res, 0, 0);
	m->files += (uint64_t)db_i64(res, 0, 1);
	m->file_bytes += (uint64_t)db_i64(res, 0, 2);
	int64_t oldest = db_i64(res, 0, 3), newest = db_i64(res, 0, 4);
	m->oldest_ms = m->oldest_ms == 0 || oldest < m->oldest_ms ? oldest : m->oldest_ms;
	m->newest_ms = newest > m->newest_ms ? newest : m->newest_ms;
	return ARK_OK;
}

/* For people: name of a channel and how much of it goes. */
static enum ark_rc end_channel(struct making *m, struct portion *p, struct ark_err *err)
{
	if (p->in_channel == 0)
		return ARK_OK;
	ark_auto(db_result_freep) struct db_result *res = NULL;
	enum ark_rc rc = db_query(m->app->conn,
	                          "SELECT CASE WHEN c.type::text IN ('D', 'G') THEN 'direct' ELSE coalesce(t.name, '?') || '/' || "
	                          "c.name END FROM channels c LEFT JOIN teams t ON t.id = c.teamid WHERE c.id = $1",
	                          DB_PARAMS(ark_buf_view(&p->channel)), &res, err);
	if (rc < 0)
		return rc;
	struct ark_str name = db_rows(res) > 0 ? db_value(res, 0, 0) : ARK_LIT("?");
	ark_out(m->app->talk, "%12llu  %.*s", (unsigned long long)p->in_channel, ARK_FMT(name));
	if (m->listed++ < CHANNELS_LISTED) {
		struct json_out o;
		ark_buf_z(&m->per_channel, m->per_channel.len > 0 ? "," : "");
		json_out_begin(&o, &m->per_channel, false);
		json_out_open(&o, NULL);
		json_out_text(&o, "id", ark_buf_view(&p->channel));
		json_out_text(&o, "name", name);
		json_out_u64(&o, "rows", p->in_channel);
		json_out_end(&o);
		ark_buf_cut(&m->per_channel, m->per_channel.len - 1); /* the newline */
	}
	struct ark_event e;
	ark_event_begin(&e, "channel", "purge.planned");
	ark_event_text(&e, "id", ark_buf_view(&p->channel));
	ark_event_text(&e, "name", name);
	ark_event_u64(&e, "rows", p->in_channel);
	ark_event_send(&e, m->app->talk);
	p->in_channel = 0;
	return ARK_OK;
}

static enum ark_rc add_sample(struct making *m, struct ark_str id, struct ark_err *err)
{
	ark_auto(db_result_freep) struct db_result *res = NULL;
	char runes[DB_NUM];
	enum ark_rc rc = db_query(m->app->conn,
	                          "SELECT p.channelid, p.createat, u.username, left(p.message, $2::int) FROM posts p LEFT JOIN "
	                          "users u ON u.id = p.userid WHERE p.id = $1", DB_PARAMS(id, db_num(SAMPLE_RUNES, runes)),
	                          &res, err);
	if (rc < 0 || db_rows(res) == 0)
		return rc;
	struct json_out o;
	if (m->sample.len > 0)
		ark_buf_c(&m->sample, ',');
	json_out_begin(&o, &m->sample, false);
	json_out_open(&o, NULL);
	json_out_text(&o, "id", id);
	json_out_text(&o, "channel_id", db_value(res, 0, 0));
	json_out_time(&o, "created", db_i64(res, 0, 1));
	json_out_text(&o, "author", db_value(res, 0, 2));
	json_out_text(&o, "begins", db_value(res, 0, 3));
	json_out_end(&o);
	ark_buf_cut(&m->sample, m->sample.len - 1);
	m->sampled++;
	return ARK_OK;
}

static enum ark_rc count_line(struct making *m, struct portion *p, struct ark_str text, uint64_t *nth, struct ark_err *err)
{
	struct plan_line line;
	if (!plan_line_parse(text, &line))
		ark_bug("a line of ours: '%.*s'", ARK_FMT(text));
	if (line.kind == PLAN_CHANNEL) {
		enum ark_rc rc = end_channel(m, p, err);
		ark_buf_reset(&p->channel);
		ark_buf_str(&p->channel, line.channel_id);
		return rc;
	}
	if (line.kind == PLAN_UNIT)
		return ARK_OK;
	ark_buf_fmt(&p->ids, "%s%.*s", p->count > 0 ? "," : "", ARK_FMT(line.row.id));
	p->count++;
	p->in_channel++;
	enum ark_rc rc = ARK_OK;
	if (!line.row.is_earlier && (*nth)++ * SAMPLE >= m->posts * m->sampled && m->sampled < SAMPLE)
		rc = add_sample(m, line.row.id, err);
	return rc == ARK_OK && p->count == COUNT_AT_ONCE ? count_portion(m, p, err) : rc;
}

/* Through the body once more: in portions, because the ids of millions are more than memory. */
static enum ark_rc count_hanging(struct making *m, struct ark_err *err)
{
	char space[FLUSH];
	struct portion p = { 0 };
	ark_buf_init(&p.ids, LIMIT_SQL);
	ark_buf_init(&p.channel, 256);
	ark_buf_c(&p.ids, '{');
	uint64_t nth = 0;
	enum ark_rc rc = ARK_OK;
	purge_bar_begin(m->app, "counting", "messages", m->posts + m->earlier);
	for (uint64_t at = 0; rc == ARK_OK && at < m->body.len;) {
		size_t len = m->body.len - at < FLUSH ? (size_t)(m->body.len - at) : FLUSH;
		rc = io_spool_read(&m->body, at, space, len, err);
		struct ark_str rest = { space, rc == ARK_OK ? len : 0 };
		for (size_t end; rc == ARK_OK && (end = ark_str_find(rest, '\n', 0)) != SIZE_MAX;) {
			rc = count_line(m, &p, ark_str_first(rest, end), &nth, err);
			rest = ark_str_from(rest, end + 1);
			ark_progress_add(&m->app->bar, 1, 0);
		}
		at += len - rest.len;
	}
	if (rc == ARK_OK)
		rc = count_portion(m, &p, err);
	if (rc == ARK_OK)
		rc = end_channel(m, &p, err);
	ark_buf_release(&p.ids);
	ark_buf_release(&p.channel);
	return rc;
}

/* ---- the head ---- */

static void list_json(struct json_out *o, const char *key, const struct ark_list *list)
{
	json_out_open_list(o, key);
	for (size_t i = 0; i < list->count; i++)
		json_out_text(o, NULL, ark_str_z(list->items[i]));
	json_out_close(o);
}

static void raw_list(struct json_out *o, const char *key, const struct ark_buf *items)
{
	ark_auto(ark_buf_release) struct ark_buf list;
	ark_buf_init(&list, LIMIT_SMALL_JSON);
	ark_buf_fmt(&list, "[%s]", items->data);
	json_out_raw(o, key, ark_buf_view(&list));
}

static enum ark_rc make_head(struct making *m, struct ark_buf *head, struct ark_err *err)
{
	const struct purge_config *c = m->app->config;
	struct json_out o;
	json_out_begin(&o, head, false);
	json_out_open(&o, NULL);
	json_out_text(&o, "matterark", ARK_LIT(PURGE_PLAN_HEAD));
	json_out_text(&o, "tool", ARK_LIT("matter-purge " MATTERARK_VERSION));
	json_out_time(&o, "made", m->app->begin_ms);
	json_out_open(&o, "database");
	enum ark_rc rc = purge_identity_json(m->app->conn, &o, err);
	json_out_close(&o);
	json_out_open(&o, "scope");
	json_out_time(&o, "deleted_before", c->deleted_before.has ? c->deleted_before.ms : 0);
	json_out_time(&o, "older_than", c->older_than.has ? c->older_than.ms : 0);
	list_json(&o, "channels", &c->channels);
	list_json(&o, "users", &c->users);
	json_out_bool(&o, "keep_pinned", c->keep_pinned);
	json_out_text(&o, "hold", c->hold != NULL ? ark_str_z(c->hold) : ARK_STR_NONE);
	json_out_close(&o);
	json_out_open(&o, "counts");
	json_out_u64(&o, "units", m->units);
	json_out_u64(&o, "posts", m->posts);
	json_out_u64(&o, "posts_of_others", m->of_others);
	json_out_u64(&o, "earlier_texts", m->earlier);
	json_out_u64(&o, "reactions", m->reactions);
	json_out_u64(&o, "files", m->files);
	json_out_u64(&o, "file_bytes", m->file_bytes);
	json_out_close(&o);
	json_out_open(&o, "stay");
	json_out_u64(&o, "held", m->left.held);
	json_out_u64(&o, "pinned", m->left.pinned);
	json_out_u64(&o, "in_use", m->left.in_use);
	json_out_close(&o);
	json_out_time(&o, "oldest", m->oldest_ms);
	json_out_time(&o, "newest", m->newest_ms);
	json_out_i64(&o, "oldest_ms", m->oldest_ms);
	raw_list(&o, "channels", &m->per_channel);
	raw_list(&o, "sample", &m->sample);
	json_out_end(&o);
	return rc == ARK_OK ? ark_buf_ok(head, "the head of the plan", err) : rc;
}

/* ---- what is told ---- */

static void say_counts(struct making *m, const char *sha256)
{
	struct purge_app *a = m->app;
	ark_auto(ark_buf_release) struct ark_buf bytes;
	ark_buf_init(&bytes, 64);
	ark_human_bytes(&bytes, m->file_bytes);
	const struct {
		uint64_t n;
		const char *what;
	} LINES[] = {
		{ m->posts, "messages" },
		{ m->of_others, "of them replies that hang on the others" },
		{ m->earlier, "earlier texts" },
		{ m->reactions, "reactions" },
		{ m->left.held, "messages stay: held" },
		{ m->left.pinned, "messages stay: something in the thread is pinned" },
		{ m->left.in_use, "messages stay: the thread is in use" },
	};
	for (size_t i = 0; i < sizeof(LINES) / sizeof(LINES[0]); i++)
		if (i == 0 || LINES[i].n > 0)
			ark_out(a->talk, "%12llu  %s", (unsigned long long)LINES[i].n, LINES[i].what);
	if (m->files > 0)
		ark_out(a->talk, "%12llu  files, %s", (unsigned long long)m->files, bytes.data);
	if (sha256 != NULL)
		ark_info(a->talk, "purge.plan_made", "plan %.12s in %s", sha256, a->config->out);
	notify_headline(&a->told, "%llu messages planned to go", (unsigned long long)m->posts);
	notify_count(&a->told, "planned_posts", "messages planned to go", m->posts);
	notify_count(&a->told, "planned_files", "files planned to go", m->files);
	notify_count(&a->told, "planned_file_bytes", "bytes of files planned to go", m->file_bytes);
	struct ark_event e;
	ark_event_begin(&e, "summary", "purge.plan");
	ark_event_text(&e, "plan", sha256 != NULL ? ark_str_z(sha256) : ARK_STR_NONE);
	ark_event_u64(&e, "units", m->units);
	ark_event_u64(&e, "posts", m->posts);
	ark_event_u64(&e, "posts_of_others", m->of_others);
	ark_event_u64(&e, "earlier_texts", m->earlier);
	ark_event_u64(&e, "reactions", m->reactions);
	ark_event_u64(&e, "files", m->files);
	ark_event_u64(&e, "file_bytes", m->file_bytes);
	ark_event_open(&e, "stay");
	ark_event_u64(&e, "held", m->left.held);
	ark_event_u64(&e, "pinned", m->left.pinned);
	ark_event_u64(&e, "in_use", m->left.in_use);
	ark_event_close(&e);
	ark_event_send(&e, a->talk);
}

int purge_command_plan(struct purge_app *a, struct ark_err *err)
{
	ark_auto(making_release) struct making m;
	making_init(&m, a);
	char sha256[CRYPT_SHA256_HEX];
	enum ark_rc rc = check_usage(a->config, err);
	if (rc == ARK_OK)
		rc = purge_open(a, "reading from", err);
	if (rc == ARK_OK)
		rc = db_exec(a->conn, "SET jit = off", err);
	if (rc == ARK_OK)
		rc = db_txn_begin(&m.txn, a->conn, "ISOLATION LEVEL REPEATABLE READ, READ ONLY", err);
	if (rc == ARK_OK)
		rc = say_unknown(a, err);
	if (rc == ARK_OK)
		rc = read_scope(&m, err);
	if (rc < 0)
		return rc;
	purge_bar_begin(a, "looking", "messages", 0);
	rc = purge_select(a->conn, &m.scope, on_pick, &m, &m.left, err);
	if (rc == ARK_OK)
		rc = flush(&m, 0, err);
	if (rc == ARK_OK)
		rc = count_hanging(&m, err);
	purge_bar_end(a);
	ark_auto(ark_buf_release) struct ark_buf head;
	ark_buf_init(&head, LIMIT_SMALL_JSON);
	if (rc == ARK_OK)
		rc = make_head(&m, &head, err);
	if (rc == ARK_OK && !a->config->dry_run)
		rc = plan_write(a->config->out, ark_buf_view(&head), &m.body, sha256, err);
	if (rc < 0)
		return rc;
	say_counts(&m, a->config->dry_run ? NULL : sha256);
	return ARK_EXIT_DONE;
}
