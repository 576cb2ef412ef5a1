/*
 * gen-slack: makes Slack export archives of any size for measuring. The same options give the same
 * bytes.
 *
 *   options -> world.c (people, channels) -> per channel: plan.c (times, threads) -> text.c (words)
 *   -> emit.c, lists.c (JSON) -> out.c (zip or folder)
 *
 * bench/README.md says how the numbers were chosen and how to call it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/gen-slack/emit.h"
#include "bench/gen-slack/out.h"
#include "common/base/time.h"

#include "common/base/banned.h"

#define FILE_CEIL ((size_t)1 << 32)

static const char usage[] =
    "usage: gen-slack [options] -o OUT\n"
    "  -o, --out PATH        zip to write, or with --folder the folder to make\n"
    "  -n, --messages N      how many messages (default 100000)\n"
    "      --seed S          another workspace (default 1)\n"
    "      --users N         people and bots (default: messages / 180)\n"
    "      --channels N      channels (default: messages / 1000)\n"
    "      --profile ERA     2014-17, 2017-22 or 2023-26 (default)\n"
    "      --private PERCENT of the channels are private\n"
    "      --dms PERCENT     of the messages are in direct and group conversations\n"
    "      --newer PERMILLE  the export of two weeks later: as many more messages, some old ones "
    "edited\n"
    "      --pretty          line breaks and four blanks, as Slack writes its files\n"
    "      --folder          a folder instead of a zip\n";

struct totals {
	uint64_t messages, files, bytes, raw;
};

struct maker {
	struct gen_world world;
	struct gen_out *out;
	struct gen_plan plan;
	struct gen_text text;
	struct ark_buf body, pretty, name;
	struct totals totals;
};

static enum ark_rc file_write(struct maker *m, const char *name, struct ark_err *err)
{
	struct ark_str body = ark_buf_view(&m->body);
	m->totals.raw += body.len;
	if (m->world.opt.pretty) {
		ark_buf_reset(&m->pretty);
		gen_emit_pretty(body, &m->pretty);
		body = ark_buf_view(&m->pretty);
	}
	m->totals.bytes += body.len;
	return gen_out_file(m->out, name, body, err);
}

static enum ark_rc day_write(struct maker *m, size_t folder_len, int64_t day, struct ark_err *err)
{
	struct ark_civil c = ark_time_civil(day * 86400000);
	ark_buf_c(&m->body, ']');
	ark_buf_cut(&m->name, folder_len);
	ark_buf_fmt(&m->name, "%04d-%02d-%02d.json", c.year, c.month, c.day);
	m->totals.files++;
	enum ark_rc rc = file_write(m, m->name.data, err);
	ark_buf_reset(&m->body);
	return rc;
}

static enum ark_rc conv_write(struct maker *m, const struct gen_conv *c, struct ark_err *err)
{
	gen_plan_make(&m->world, c, &m->plan);
	if (m->plan.count == 0)
		return ARK_OK; /* as in real exports: no folder for a channel without messages */
	ark_buf_reset(&m->name);
	gen_conv_name(&m->world, &m->name, c);
	ark_buf_c(&m->name, '/');
	size_t folder_len = m->name.len;
	enum ark_rc rc = gen_out_folder(m->out, m->name.data, err);
	int64_t day = 0;
	ark_buf_reset(&m->body);
	for (uint32_t i = 0; i < m->plan.count && rc == ARK_OK; i++) {
		int64_t today = gen_pacific_day(m->plan.msgs[i].ts_us / 1000000);
		if (m->body.len > 0 && today != day)
			rc = day_write(m, folder_len, day, err);
		day = today;
		ark_buf_c(&m->body, m->body.len > 0 ? ',' : '[');
		gen_emit_message(&m->world, c, &m->plan, i, &m->text, &m->body);
		m->totals.messages++;
	}
	if (rc == ARK_OK)
		rc = day_write(m, folder_len, day, err);
	return rc;
}

static enum ark_rc lists_write(struct maker *m, struct ark_err *err)
{
	static const struct {
		const char *name;
		enum gen_conv_kind kind;
	} lists[] = { { "channels.json", GEN_OPEN },
		      { "groups.json", GEN_PRIVATE },
		      { "dms.json", GEN_DIRECT },
		      { "mpims.json", GEN_GROUP } };
	static const char *const empty[][2] = { { "integration_logs.json", "[]" },
						{ "canvases.json", "[]" },
						{ "file_conversations.json", "[]" },
						{ "lists.json", "[\"\"]" },
						{ "huddle_transcripts.json", "[\"\"]" } };
	ark_buf_reset(&m->body);
	gen_emit_users(&m->world, &m->body);
	enum ark_rc rc = file_write(m, "users.json", err);
	for (size_t i = 0; i < 4 && rc == ARK_OK; i++) {
		ark_buf_reset(&m->body);
		gen_emit_convs(&m->world, lists[i].kind, &m->body);
		if (m->body.len > 2 || i == 0)
			rc = file_write(m, lists[i].name, err);
	}
	for (size_t i = 0; i < 5 && rc == ARK_OK; i++) {
		ark_buf_reset(&m->body);
		ark_buf_z(&m->body, empty[i][1]);
		rc = file_write(m, empty[i][0], err);
	}
	return rc;
}

/* Half of the channels, then the lists, then the rest: readers must not rely on an order. */
static enum ark_rc everything_write(struct maker *m, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < m->world.convs_count && rc == ARK_OK; i++) {
		if (i == m->world.convs_count / 2)
			rc = lists_write(m, err);
		if (rc == ARK_OK)
			rc = conv_write(m, &m->world.convs[i], err);
	}
	if (rc == ARK_OK)
		rc = gen_out_finish(m->out, err);
	return rc;
}

static bool number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
	return ark_str_u64(ark_str_z(text), out) && *out >= least && *out <= most;
}

static bool option_take(struct gen_options *o, int option, const char *value)
{
	uint64_t n = 0;
	switch (option) {
	case 'o': o->out = value; return true;
	case 'n': return number(value, 0, 100000000, &o->messages);
	case 's': return number(value, 0, UINT64_MAX, &o->seed);
	case 'P': o->pretty = true; return true;
	case 'F': o->folder = true; return true;
	case 'e': o->era = gen_era_find(value); return o->era != NULL;
	case 'u':
		if (!number(value, 4, 1000000, &n))
			return false;
		o->users = (uint32_t)n;
		return true;
	case 'c':
		if (!number(value, 1, 1000000, &n))
			return false;
		o->channels = (uint32_t)n;
		return true;
	case 'p':
		if (!number(value, 0, 100, &n))
			return false;
		o->private_percent = (uint32_t)n;
		return true;
	case 'd':
		if (!number(value, 0, 100, &n))
			return false;
		o->direct_percent = (uint32_t)n;
		return true;
	case 'w':
		if (!number(value, 0, 1000, &n))
			return false;
		o->newer_permille = (uint32_t)n;
		return true;
	default: return false;
	}
}

static bool options_read(int argc, char **argv, struct gen_options *o)
{
	static const struct option longs[] = { { "out", required_argument, NULL, 'o' },
					       { "messages", required_argument, NULL, 'n' },
					       { "seed", required_argument, NULL, 's' },
					       { "users", required_argument, NULL, 'u' },
					       { "channels", required_argument, NULL, 'c' },
					       { "profile", required_argument, NULL, 'e' },
					       { "private", required_argument, NULL, 'p' },
					       { "dms", required_argument, NULL, 'd' },
					       { "newer", required_argument, NULL, 'w' },
					       { "pretty", no_argument, NULL, 'P' },
					       { "folder", no_argument, NULL, 'F' },
					       { NULL, 0, NULL, 0 } };
	*o = (struct gen_options){ .era = &gen_eras[0], .messages = 100000, .seed = 1 };
	for (int c; (c = getopt_long(argc, argv, "o:n:", longs, NULL)) != -1;) {
		if (!option_take(o, c, optarg))
			return false;
	}
	if (o->users == 0)
		o->users = o->messages / 180 < 20 ? 20 : (uint32_t)(o->messages / 180);
	if (o->channels == 0)
		o->channels = o->messages / 1000 < 8 ? 8 : (uint32_t)(o->messages / 1000);
	return o->out != NULL && optind == argc;
}

static void totals_print(const struct totals *t)
{
	double per_file = t->files > 0 ? (double)t->messages / (double)t->files : 0;
	double per_message = t->messages > 0 ? (double)t->raw / (double)t->messages : 0;
	fprintf(stderr,
		"%llu messages in %llu day files (%.1f each), %llu bytes of JSON (%.0f per message "
		"when compact)\n",
		(unsigned long long)t->messages, (unsigned long long)t->files, per_file,
		(unsigned long long)t->bytes, per_message);
}

int main(int argc, char **argv)
{
	struct gen_options options;
	if (!options_read(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	struct ark_err err = { 0 };
	struct maker m = { 0 };
	if (gen_out_open(options.out, options.folder, &m.out, &err) != ARK_OK) {
		fprintf(stderr, "gen-slack: %s\n", err.text);
		return 1;
	}
	gen_world_init(&m.world, &options);
	gen_text_init(&m.text);
	ark_buf_init(&m.body, FILE_CEIL);
	ark_buf_init(&m.pretty, FILE_CEIL);
	ark_buf_init(&m.name, 4096);
	enum ark_rc rc = everything_write(&m, &err);
	if (rc == ARK_OK)
		totals_print(&m.totals);
	else
		fprintf(stderr, "gen-slack: %s\n", err.text);
	ark_buf_release(&m.name);
	ark_buf_release(&m.pretty);
	ark_buf_release(&m.body);
	gen_text_release(&m.text);
	gen_plan_release(&m.plan);
	gen_world_release(&m.world);
	gen_out_free(m.out);
	return rc == ARK_OK ? 0 : 1;
}
