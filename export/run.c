/* matter-export run: from the options to a folder with its final name. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/time.h"
#include "common/cli/human.h"
#include "common/cli/render.h"
#include "export/app.h"
#include "export/chain.h"
#include "export/compare.h"
#include "export/seal.h"
#include "export/upload.h"

#include "common/base/banned.h"

/* --- what was asked for ------------------------------------------------------------------------ */

static enum ark_rc choose_formats(struct export_app *a, struct ark_err *err)
{
	const struct ark_list *asked = &a->config->formats;
	ark_auto(ark_buf_release) struct ark_buf names;
	ark_buf_init(&names, 4096);
	for (size_t i = 0; i < asked->count; i++)
		ark_buf_fmt(&names, "%s%s", i > 0 ? "," : "", asked->items[i]);
	if (asked->count == 0)
		ark_buf_z(&names, "jsonl");
	for (struct ark_str rest = ark_buf_view(&names); rest.len > 0;) {
		size_t end = ark_str_find(rest, ',', 0);
		struct ark_str name = ark_str_trim(ark_str_first(rest, end));
		rest = ark_str_from(rest, end == SIZE_MAX ? rest.len : end + 1);
		size_t n = 0;
		while (EXPORT_FORMATS[n] != NULL && !ark_str_eqz(name, EXPORT_FORMATS[n]->name))
			n++;
		if (EXPORT_FORMATS[n] == NULL) {
			ark_err_set(err, ARK_KIND_USAGE, "there is no format '%.*s'", ARK_FMT(name));
			ark_err_hint(err, "'matter-export run --help' lists them");
			return ARK_FAIL;
		}
		bool twice = false;
		for (unsigned i = 0; i < a->formats_count; i++)
			twice = twice || a->formats[i] == EXPORT_FORMATS[n];
		if (!twice && a->formats_count < EXPORT_FORMATS_MAX)
			a->formats[a->formats_count++] = EXPORT_FORMATS[n];
	}
	return ARK_OK;
}

/* "2/8" */
static enum ark_rc parse_shard(const char *text, struct export_scope *scope, struct ark_err *err)
{
	struct ark_str all = ark_str_z(text);
	size_t slash = ark_str_find(all, '/', 0);
	uint64_t n = 0, of = 0;
	bool fine = slash != SIZE_MAX && ark_str_u64(ark_str_first(all, slash), &n) &&
	            ark_str_u64(ark_str_from(all, slash + 1), &of);
	if (!fine || n < 1 || n > of || of > EXPORT_SHARDS_MAX)
		return ark_err_set(err, ARK_KIND_USAGE, "--shard '%s' is not I/N with 1 <= I <= N <= %d", text,
		                   EXPORT_SHARDS_MAX);
	scope->shard = (unsigned)n;
	scope->shards = (unsigned)of;
	return ARK_OK;
}

static enum ark_rc read_scope(struct export_app *a, struct ark_err *err)
{
	const struct export_config *c = a->config;
	a->scope = (struct export_scope){
		.teams = c->teams, .channels = c->channels, .users = c->users, .match = c->match,
		.context = c->context, .direct = c->direct, .no_deleted = c->no_deleted,
		.has_since = c->since.has, .since_ms = c->since.ms,
		.has_until = c->until.has, .until_ms = c->until.ms,
	};
	if (c->context > 0 && c->match.count == 0)
		return ark_err_set(err, ARK_KIND_USAGE, "--context is about the hits of --match, which is missing");
	if (c->incremental && (c->match.count > 0 || c->shard != NULL || c->until.has))
		return ark_err_set(err, ARK_KIND_USAGE, "--incremental does not go with --match, --shard or --until");
	if (c->incremental && (a->formats_count != 1 || a->formats[0] != &EXPORT_JSONL))
		return ark_err_set(err, ARK_KIND_USAGE, "--incremental writes the format jsonl alone");
	if (c->evidence && (c->sign == NULL || !c->direct))
		return ark_err_set(err, ARK_KIND_USAGE, "--evidence wants --sign and --direct");
	return c->shard != NULL ? parse_shard(c->shard, &a->scope, err) : ARK_OK;
}

void export_show_config(const struct export_config *config, const struct ark_args *args, struct ark_talk *talk)
{
	ark_show_config(args, config, talk);
	if (ark_args_command(args) == COMMAND_RUN)
		export_source_show(&config->place, args, &EXPORT_TOOL, talk);
}

/* Said before the database is looked for: an existing place is refused as early as can be. */
enum ark_rc export_check_out(struct export_app *a, struct ark_err *err)
{
	struct stat st;
	const char *out = a->config->out;
	if (out == NULL && !a->config->dry_run)
		return ark_err_set(err, ARK_KIND_USAGE, "--out is missing: where to");
	if (!a->config->incremental && export_is_bucket(out))
		return export_upload_check(out, &a->config->s3, err);
	if (a->config->incremental || out == NULL || lstat(out, &st) != 0)
		return ARK_OK;
	ark_err_set(err, ARK_KIND_REFUSED, "'%s' is there already", out);
	ark_err_hint(err, "name a folder that is not there; what exists is never overwritten");
	return ARK_FAIL;
}

/* --- what is told ------------------------------------------------------------------------------ */

static void say_plan(struct export_app *a)
{
	ark_out(a->talk, "%12llu  posts in %zu conversations", (unsigned long long)a->sel.planned,
	        a->sel.channels_count);
	for (size_t i = 0; i < a->sel.channels_count; i++) {
		const struct export_channel *c = &a->sel.channels[i];
		if (c->posts == 0)
			continue;
		ark_out(a->talk, "%12llu  %.*s/%.*s", (unsigned long long)c->posts, ARK_FMT(c->team_path),
		        ARK_FMT(c->channel_path));
		struct ark_event e;
		ark_event_begin(&e, "channel", "export.planned");
		ark_event_text(&e, "team", c->team_path);
		ark_event_text(&e, "channel", c->channel_path);
		ark_event_text(&e, "id", c->id);
		ark_event_u64(&e, "posts", c->posts);
		ark_event_send(&e, a->talk);
	}
}

/*
 * Everything that is in posts is accounted for: exported, or left out for a reason. With --match and
 * --user the counts cannot know beforehand, so what did not come is left out by these. More orphans
 * than copies, or a missing post, is a bug of ours.
 */
static void settle_counts(struct export_app *a)
{
	uint64_t posts = atomic_load(&a->posts), orphans = atomic_load(&a->orphans);
	bool open = a->scope.match.count > 0 || a->scope.users.count > 0;
	if (posts > a->sel.planned || (posts < a->sel.planned && !open && !a->after_first))
		ark_bug("%llu posts exported of %llu", (unsigned long long)posts, (unsigned long long)a->sel.planned);
	a->sel.left[a->after_first ? LEFT_SAME : LEFT_MATCH] += a->sel.planned - posts;
	if (orphans > a->sel.left[LEFT_VERSION])
		ark_bug("more orphans than copies");
	a->sel.left[LEFT_VERSION] -= orphans;
	uint64_t sum = posts + orphans;
	for (int i = 0; i < LEFT_COUNT; i++)
		sum += a->sel.left[i];
	if (sum != a->sel.rows)
		ark_bug("%llu rows accounted for of %llu", (unsigned long long)sum, (unsigned long long)a->sel.rows);
}

static uint64_t missing(const struct export_app *a)
{
	return atomic_load(&a->files_missing);
}

static void say_done(struct export_app *a)
{
	uint64_t plain, written, records = atomic_load(&a->records);
	export_out_bytes(a->out, &plain, &written);
	ark_auto(ark_buf_release) struct ark_buf size;
	ark_buf_init(&size, 256);
	ark_human_bytes(&size, written);
	ark_info(a->talk, "export.done", "%llu records of %zu conversations, %s, in %s", (unsigned long long)records,
	         a->sel.channels_count, size.data, a->target);
	for (size_t i = 0; i < a->notes_count; i++)
		ark_info(a->talk, "export.note", "%s: %llu", a->notes[i].reason, (unsigned long long)a->notes[i].n);
	if (a->sel.unknown_history > 0)
		ark_info(a->talk, "export.history", "in %u conversations it is not known who was there when",
		         a->sel.unknown_history);
	if (missing(a) > 0)
		ark_warn(a->talk, "export.missing", "the file store does not have %llu of the attached files; their "
		                                    "messages say so", (unsigned long long)missing(a));
	struct notify_book *told = &a->told;
	notify_headline(told, "%llu records of %zu conversations", (unsigned long long)records, a->sel.channels_count);
	notify_count(told, "exported_records", "records", records);
	notify_count(told, "exported_posts", "posts", atomic_load(&a->posts));
	notify_count(told, "exported_conversations", "conversations", a->sel.channels_count);
	notify_count(told, "attachments_missing", "attached files missing", missing(a));
	notify_count(told, "written_bytes", "bytes written", written);
	struct ark_event e;
	ark_event_begin(&e, "summary", "export.done");
	ark_event_text(&e, "place", ark_str_z(a->target));
	ark_event_u64(&e, "rows", a->sel.rows);
	ark_event_u64(&e, "records", records);
	ark_event_u64(&e, "posts", atomic_load(&a->posts));
	ark_event_u64(&e, "orphans", atomic_load(&a->orphans));
	ark_event_u64(&e, "purged", atomic_load(&a->purged));
	ark_event_u64(&e, "attachments_missing", missing(a));
	ark_event_open(&e, "not_exported");
	for (int i = 0; i < LEFT_COUNT; i++)
		ark_event_u64(&e, export_left_name((enum export_left)i), a->sel.left[i]);
	ark_event_close(&e);
	ark_event_u64(&e, "bytes", written);
	ark_event_u64(&e, "bytes_plain", plain);
	ark_event_i64(&e, "duration_ms", ark_time_now_ms() - a->begin_ms);
	ark_event_send(&e, a->talk);
}

/* --- the run ----------------------------------------------------------------------------------- */

/* What is in the snapshot beside posts. */
static enum ark_rc write_beside(struct export_app *a, struct ark_err *err)
{
	enum ark_rc rc = export_write_people(a, err);
	return rc == ARK_OK ? export_write_channels(a, err) : rc;
}

static enum ark_rc export_all(struct export_app *a, struct ark_err *err)
{
	ark_progress_phase(&a->bar, "exporting", "messages", a->sel.planned, 0);
	bool differences = a->changes != NULL && a->after_first;
	a->beside = write_beside;
	enum ark_rc rc = differences ? export_compare_give(a, err) : export_crew_work(a, err);
	if (rc == ARK_OK && differences)
		rc = write_beside(a, err);
	if (rc < 0)
		return rc;
	settle_counts(a);
	return export_write_run(a, err);
}

static enum ark_rc finish(struct export_app *a, const struct export_chain *chain, struct ark_err *err)
{
	struct export_bag_info info = {
		.agent = a->run.tool,
		.date_ms = a->begin_ms,
		.description = ARK_LIT("Mattermost conversations, exported by matter-export"),
		.group = chain->number > 0 ? ark_buf_view(&chain->group) : ARK_STR_NONE,
		.number = chain->number,
		.previous = chain->previous != NULL ? ark_str_z(chain->previous_sha256) : ARK_STR_NONE,
	};
	return export_seal(a, &info, err);
}

int export_command_run(struct export_app *a, struct ark_err *err)
{
	a->begin_ms = ark_time_now_ms();
	enum ark_rc rc = choose_formats(a, err);
	if (rc == ARK_OK)
		rc = read_scope(a, err);
	if (rc == ARK_OK)
		rc = export_check_out(a, err);
	if (rc == ARK_OK)
		rc = export_seal_prepare(a, err);
	if (rc == ARK_OK)
		rc = export_source_open(a, err);
	if (rc < 0)
		return rc;
	bool whole = false;
	for (unsigned i = 0; i < a->formats_count; i++)
		whole = whole || a->formats[i]->alone;
	ark_progress_begin(&a->bar, a->talk);
	a->bar_runs = true;
	ark_progress_phase(&a->bar, "counting", NULL, 0, 0);
	rc = export_source_has_files(a, err);
	if (rc == ARK_OK)
		rc = export_select(a->conn, a->info, &a->scope, whole, &a->sel, err);
	if (rc == ARK_OK && a->config->dry_run) {
		ark_progress_end(&a->bar);
		a->bar_runs = false;
		say_plan(a);
		return ARK_EXIT_DONE;
	}
	ark_auto(export_chain_release) struct export_chain chain = { 0 };
	a->target = a->config->out;
	if (rc == ARK_OK && a->config->incremental) {
		rc = export_chain_open(a, &chain, err);
		a->target = chain.out.data;
	}
	if (rc == ARK_OK)
		rc = export_out_open(a->target, &a->config->s3, &a->out, err);
	if (rc == ARK_OK && a->config->incremental) {
		ark_progress_phase(&a->bar, "comparing", NULL, 0, 0);
		a->after_first = chain.previous != NULL;
		rc = export_chain_compare(a, &chain, err);
	}
	if (rc < 0)
		return rc;
	export_source_fill(a);
	rc = export_source_store(a, err);
	if (rc == ARK_OK)
		rc = export_all(a, err);
	if (rc == ARK_OK)
		rc = finish(a, &chain, err);
	ark_progress_end(&a->bar);
	a->bar_runs = false;
	if (rc < 0)
		return rc;
	say_done(a);
	return missing(a) > 0 ? ARK_EXIT_LOSSES : ARK_EXIT_DONE;
}
