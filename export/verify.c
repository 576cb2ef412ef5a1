/*
 * matter-export verify and list. The order of the checks is that of trust: the signature over the tag
 * manifest, the tag files it names, the payload they name, and then whether the payload says what run.json
 * says. The first thing that is off ends it, by its name.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/cli/signal.h"
#include "common/json/value.h"
#include "export/app.h"
#include "common/crypt/tsa.h"
#include "export/seal.h"
#include "export/series.h"
#include "export/sign.h"
#include "export/verify.h"

#include "common/base/banned.h"

#define RUN_MAX (64u << 20) /* bytes of run.json */

struct check {
	struct export_app *app;
	const struct export_folder *folder;
	const struct crypt_public_key *key; /* NULL: signatures are not looked at */
	struct ark_map named;               /* files of both manifests */
	uint64_t payload_files, payload_bytes, files, bytes, plain_bytes, records;
	bool is_signed;
	bool is_stamped;
	int64_t stamp_ms;                   /* what the time stamp says */
	struct ark_buf run;                 /* run.json, padded */
	struct json_doc *doc;
	struct json_val root;
	struct ark_map counts;              /* "team=x/channel=y" -> index in lines */
	uint64_t *lines;
};

static enum ark_rc off(struct ark_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static enum ark_rc off(struct ark_err *err, const char *fmt, ...)
{
	char text[ARK_ERR_TEXT];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return ark_err_set(err, ARK_KIND_INPUT, "%s", text);
}

/* --- lines per channel ------------------------------------------------------------------------- */

/* "team=x/channel=y" of "data/team=x/channel=y/month=z/part-0.jsonl.zst"; NONE for another file. */
static struct ark_str channel_of(struct ark_str name)
{
	static const struct ark_str TEAM = ARK_LIT("data/team="), MONTH = ARK_LIT("/month="), END = ARK_LIT(".jsonl.zst");
	size_t month = ark_str_search(name, MONTH, 0);
	if (!ark_str_starts(name, TEAM) || !ark_str_ends(name, END) || month == SIZE_MAX)
		return ARK_STR_NONE;
	return ark_str_from(ark_str_first(name, month), 5);
}

static void count_lines(struct check *c, struct ark_str channel, uint64_t lines)
{
	uint32_t at = ark_map_get(&c->counts, channel);
	if (at == ARK_MAP_NONE) {
		at = c->counts.count;
		ark_map_put(&c->counts, channel, at);
		c->lines = ark_realloc(c->lines, at + 1u, sizeof(c->lines[0]));
		c->lines[at] = 0;
	}
	c->lines[at] += lines;
	c->records += lines;
}

static uint64_t newlines(struct ark_str piece)
{
	uint64_t n = 0;
	for (const char *at = piece.ptr, *end = at + piece.len; (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
		n++;
	return n;
}

/* --- manifests --------------------------------------------------------------------------------- */

/* Read a file through; what its digest is, and for message files how many lines it has. */
static enum ark_rc digest_file(struct check *c, const char *name, char hex[CRYPT_SHA256_HEX], struct ark_err *err)
{
	struct ark_str channel = channel_of(ark_str_z(name));
	ark_auto(export_stream_closep) struct export_stream *s = NULL;
	enum ark_rc rc = export_stream_open(c->folder, name, ark_str_has(channel), &s, err);
	struct ark_str piece;
	uint64_t lines = 0;
	while (rc == ARK_OK && (rc = export_stream_next(s, &piece, err)) == ARK_OK) {
		c->plain_bytes += piece.len;
		lines += ark_str_has(channel) ? newlines(piece) : 0;
		ark_progress_add(&c->app->bar, 0, 0);
	}
	if (rc < 0)
		return rc;
	unsigned char digest[CRYPT_SHA256_BYTES];
	export_stream_sha256(s, digest);
	crypt_hex(digest, sizeof(digest), hex);
	if (ark_str_has(channel))
		count_lines(c, channel, lines);
	c->files++;
	c->bytes += export_stream_bytes(s);
	if (strncmp(name, "data/", 5) == 0) {
		c->payload_files++;
		c->payload_bytes += export_stream_bytes(s);
	}
	return ark_interrupt_check(err);
}

/* "<64 hex>  name" */
static enum ark_rc check_line(struct check *c, const char *manifest, struct ark_str line, bool payload,
                              struct ark_err *err)
{
	struct ark_str want, key;
	if (!export_manifest_read(line, payload, &want, &key))
		return off(err, "'%s' holds a line that is none: '%.*s'", manifest, ARK_FMT(ark_str_first(line, 200)));
	ark_auto(ark_freep) char *name = ark_strdup(key);
	if (ark_map_get(&c->named, key) != ARK_MAP_NONE)
		return off(err, "'%s' names '%s' twice", manifest, name);
	ark_map_put(&c->named, key, 0);
	char hex[CRYPT_SHA256_HEX];
	enum ark_rc rc = digest_file(c, name, hex, err);
	if (rc == ARK_OK && !ark_str_eqz(want, hex))
		return off(err, "'%s' was changed: its SHA-256 is not the one in '%s'", name, manifest);
	/* Data that cannot be unpacked have another digest than once, too; that is the better word for it. */
	if (rc == ARK_FAIL && err->kind == ARK_KIND_INPUT)
		return off(err, "'%s' was changed: its SHA-256 is not the one in '%s'", name, manifest);
	return rc;
}

static enum ark_rc check_manifest(struct check *c, const char *manifest, bool payload, struct ark_err *err)
{
	ark_auto(export_stream_closep) struct export_stream *s = NULL;
	struct ark_str line;
	enum ark_rc rc = export_stream_open(c->folder, manifest, false, &s, err);
	while (rc == ARK_OK && (rc = export_stream_line(s, &line, err)) == ARK_OK)
		rc = check_line(c, manifest, line, payload, err);
	return rc < 0 ? rc : ARK_OK;
}

/* Files that no manifest names. What signs the tag manifest cannot stand in it. */
static enum ark_rc check_extra(struct check *c, struct ark_err *err)
{
	ark_auto(ark_map_release) struct ark_map there = { 0 };
	enum ark_rc rc = export_folder_files(c->folder, &there, err);
	for (uint32_t i = 0; i < there.count && rc == ARK_OK; i++) {
		struct ark_str name = ark_map_key(&there, i);
		if (ark_map_get(&c->named, name) == ARK_MAP_NONE && !ark_str_eqz(name, EXPORT_TAGMANIFEST) &&
		    !ark_str_eqz(name, EXPORT_SIGNATURE) && !ark_str_eqz(name, EXPORT_TIMESTAMP))
			rc = off(err, "'%.*s' is in no manifest", ARK_FMT(name));
	}
	return rc;
}

/* --- signature, counts ------------------------------------------------------------------------- */

static enum ark_rc check_signature(struct check *c, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf data, signature;
	ark_buf_init(&data, 1u << 20);
	ark_buf_init(&signature, 1u << 16);
	c->is_signed = export_folder_has(c->folder, EXPORT_SIGNATURE);
	if (c->key == NULL)
		return ARK_OK;
	enum ark_rc rc = export_folder_small(c->folder, EXPORT_TAGMANIFEST, &data, err);
	if (rc == ARK_OK)
		rc = export_folder_small(c->folder, EXPORT_SIGNATURE, &signature, err);
	struct ark_str comment;
	if (rc == ARK_OK)
		rc = crypt_minisign_verify(c->key, ark_buf_view(&data), ark_buf_view(&signature), &comment, err);
	return rc < 0 && err->kind != ARK_KIND_MISSING ? ark_err_in(err, rc, "'%s'", EXPORT_SIGNATURE) : rc;
}

/* The time stamp is always held against the tag manifest; who signed it only where --timestamp-ca tells who may. */
static enum ark_rc check_stamp(struct check *c, struct ark_err *err)
{
	const char *ca = c->app->config->timestamp_ca;
	ark_auto(ark_buf_release) struct ark_buf data, answer;
	ark_buf_init(&data, 1u << 20);
	ark_buf_init(&answer, 1u << 20);
	c->is_stamped = export_folder_has(c->folder, EXPORT_TIMESTAMP);
	if (!c->is_stamped && ca == NULL)
		return ARK_OK;
	enum ark_rc rc = export_folder_small(c->folder, EXPORT_TIMESTAMP, &answer, err);
	if (rc == ARK_OK)
		rc = export_folder_small(c->folder, EXPORT_TAGMANIFEST, &data, err);
	if (rc < 0)
		return rc;
	unsigned char digest[CRYPT_SHA256_BYTES];
	struct crypt_hash *hash = crypt_hash_new();
	crypt_sha256(hash, data.data, data.len, digest);
	crypt_hash_free(hash);
	struct crypt_tsa_claim claim = { 0 };
	rc = crypt_tsa_read(ark_buf_view(&answer), digest, &claim, err);
	if (rc == ARK_OK && ca != NULL)
		rc = crypt_tsa_verify(ark_buf_view(&answer), digest, ca, err);
	c->stamp_ms = claim.time_ms;
	return rc < 0 ? ark_err_in(err, rc, "'%s'", EXPORT_TIMESTAMP) : ARK_OK;
}

static enum ark_rc read_run(struct check *c, struct ark_err *err)
{
	enum ark_rc rc = export_folder_small(c->folder, "run.json", &c->run, err);
	size_t len = c->run.len;
	if (rc == ARK_OK && ark_buf_room(&c->run, JSON_PADDING) == NULL)
		rc = ark_buf_ok(&c->run, "run.json", err);
	if (rc == ARK_OK)
		rc = json_doc_parse(c->doc, c->run.data, len, &c->root, err);
	return rc < 0 ? ark_err_in(err, rc, "run.json") : ARK_OK;
}

static enum ark_rc check_counts(struct check *c, struct ark_err *err)
{
	uint64_t said = 0;
	struct json_iter it = json_items(json_get(c->root, "channels"));
	ark_auto(ark_buf_release) struct ark_buf key;
	ark_buf_init(&key, 1u << 16);
	bool jsonl = false;
	struct json_iter formats = json_items(json_get(c->root, "formats"));
	for (struct json_val v; json_next(&formats, &v);)
		jsonl = jsonl || ark_str_eqz(json_str(v), "jsonl");
	for (struct json_val v; jsonl && json_next(&it, &v);) {
		int64_t records = 0;
		json_i64(json_get(v, "records"), &records);
		ark_buf_reset(&key);
		ark_buf_z(&key, "team=");
		ark_buf_str(&key, json_str(json_get(v, "team")));
		ark_buf_z(&key, "/channel=");
		ark_buf_str(&key, json_str(json_get(v, "channel")));
		uint32_t at = ark_map_get(&c->counts, ark_buf_view(&key));
		uint64_t have = at == ARK_MAP_NONE ? 0 : c->lines[at];
		if (have != (uint64_t)records)
			return off(err, "'data/%s' holds %llu messages, run.json says %lld", key.data,
			           (unsigned long long)have, (long long)records);
		said += have;
	}
	if (jsonl && said != c->records)
		return off(err, "there are messages of a channel that run.json does not name");
	char oxum[64];
	ark_buf_reset(&key);
	enum ark_rc rc = export_bag_info_value(c->folder, "Payload-Oxum", &key, err);
	snprintf(oxum, sizeof(oxum), "%llu.%llu", (unsigned long long)c->payload_bytes, (unsigned long long)c->payload_files);
	if (rc == ARK_OK && strcmp(key.data, oxum) != 0)
		return off(err, "'bag-info.txt' says Payload-Oxum %s, but it is %s", key.data, oxum);
	return rc;
}

static enum ark_rc check_bag(struct check *c, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf bagit;
	ark_buf_init(&bagit, 4096);
	enum ark_rc rc = export_folder_small(c->folder, "bagit.txt", &bagit, err);
	if (rc == ARK_OK && !ark_str_starts(ark_buf_view(&bagit), ARK_LIT("BagIt-Version: 1.0\n")))
		return off(err, "'bagit.txt' is not that of a bag of version 1.0");
	if (rc == ARK_OK)
		rc = check_signature(c, err);
	if (rc == ARK_OK)
		rc = check_stamp(c, err);
	if (rc == ARK_OK)
		rc = check_manifest(c, EXPORT_TAGMANIFEST, false, err);
	if (rc == ARK_OK && ark_map_get(&c->named, ARK_LIT(EXPORT_MANIFEST)) == ARK_MAP_NONE)
		return off(err, "'%s' does not name '%s'", EXPORT_TAGMANIFEST, EXPORT_MANIFEST);
	if (rc == ARK_OK)
		rc = check_manifest(c, EXPORT_MANIFEST, true, err);
	if (rc == ARK_OK)
		rc = check_extra(c, err);
	if (rc == ARK_OK)
		rc = read_run(c, err);
	return rc == ARK_OK ? check_counts(c, err) : rc;
}

/* --- one run, and all of them ------------------------------------------------------------------ */

static void check_init(struct check *c, struct export_app *a, const struct export_folder *f,
                       const struct crypt_public_key *key)
{
	*c = (struct check){ .app = a, .folder = f, .key = key };
	ark_buf_init(&c->run, RUN_MAX);
	c->doc = json_doc_new();
}

static void check_release(struct check *c)
{
	ark_map_release(&c->named);
	ark_map_release(&c->counts);
	ark_buf_release(&c->run);
	json_doc_free(c->doc);
	free(c->lines);
}

static enum ark_rc check_chain(const struct export_folder *f, const char *previous, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf said;
	ark_buf_init(&said, 4096);
	enum ark_rc rc = export_bag_info_value(f, "Matterark-Previous-Tagmanifest-SHA256", &said, err);
	if (rc == ARK_OK && strcmp(said.data, previous) != 0)
		return off(err, "the chain is broken: this run does not follow the one before it");
	return rc;
}

static void say_run(struct export_app *a, const struct export_folder *f, const struct check *c, bool verified)
{
	struct json_val source = json_get(c->root, "source"), counts = json_get(c->root, "counts");
	struct ark_str time = json_str(json_get(source, "snapshot_time"));
	int64_t posts = 0, purged = 0;
	json_i64(json_get(counts, "posts"), &posts);
	json_i64(json_get(counts, "purged"), &purged);
	const char *sign = !c->is_signed ? "not signed" : c->key != NULL ? "signature good" : "signed";
	char stamp[ARK_TIME_ISO + 32] = "", iso[ARK_TIME_ISO];
	if (c->is_stamped && verified) {
		ark_time_iso(c->stamp_ms, iso);
		snprintf(stamp, sizeof(stamp), "\ttime stamp %s%s", iso, a->config->timestamp_ca != NULL ? ", good" : "");
	}
	ark_out(a->talk, "%s\t%.*s\t%lld posts\t%lld purged\t%s%s", export_folder_name(f), ARK_FMT(time),
	        (long long)posts, (long long)purged, sign, stamp);
	struct ark_event e;
	ark_event_begin(&e, "run", verified ? "export.verified" : "export.run");
	ark_event_text(&e, "place", ark_str_z(export_folder_name(f)));
	ark_event_text(&e, "snapshot_time", time);
	ark_event_i64(&e, "posts", posts);
	ark_event_i64(&e, "purged", purged);
	ark_event_bool(&e, "signed", c->is_signed);
	if (verified && c->is_stamped) {
		ark_event_time(&e, "timestamp", c->stamp_ms);
		ark_event_bool(&e, "timestamp_checked", a->config->timestamp_ca != NULL);
	}
	if (verified) {
		ark_event_u64(&e, "files", c->files);
		ark_event_u64(&e, "bytes", c->bytes);
		ark_event_u64(&e, "bytes_plain", c->plain_bytes);
		ark_event_bool(&e, "signature_checked", c->key != NULL);
	}
	ark_event_send(&e, a->talk);
}

static enum ark_rc one_run(struct export_app *a, const struct export_folder *f, const struct crypt_public_key *key,
                           bool verify, struct ark_err *err)
{
	ark_auto(check_release) struct check c;
	check_init(&c, a, f, key);
	c.is_signed = export_folder_has(f, EXPORT_SIGNATURE);
	enum ark_rc rc = verify ? check_bag(&c, err) : read_run(&c, err);
	if (rc < 0)
		return ark_err_in(err, rc, "%s", export_folder_name(f));
	say_run(a, f, &c, verify);
	if (verify && c.is_signed && key == NULL)
		ark_warn(a->talk, "export.signature", "%s: signed, but nobody said with which key: --public-key names it",
		         export_folder_name(f));
	if (verify && c.is_stamped && a->config->timestamp_ca == NULL)
		ark_warn(a->talk, "export.timestamp", "%s: nobody said whose time stamps count: --timestamp-ca names a file",
		         export_folder_name(f));
	return ARK_OK;
}

static enum ark_rc all_runs(struct export_app *a, const struct export_folder *f, const struct export_series *s,
                            const struct crypt_public_key *key, bool verify, struct ark_err *err)
{
	char previous[CRYPT_SHA256_HEX] = "";
	for (unsigned n = s->first; n > 0 && n <= s->last; n++) {
		char name[EXPORT_RUN_NAME];
		export_run_name(n, name);
		ark_auto(export_folder_closep) struct export_folder *run = NULL;
		enum ark_rc rc = export_folder_inside(f, name, &run, err);
		if (rc == ARK_OK)
			rc = one_run(a, run, key, verify, err);
		if (rc == ARK_OK && verify && (n > s->first || n == 1))
			rc = check_chain(run, previous, err) < 0 ? ark_err_in(err, ARK_FAIL, "%s", export_folder_name(run))
			                                         : ARK_OK;
		if (rc == ARK_OK && verify)
			rc = export_tagmanifest_sha256(run, previous, err);
		if (rc < 0)
			return rc;
	}
	if (verify && s->first > 1)
		ark_warn(a->talk, "export.chain", "the first %u runs of the series are not there", s->first - 1);
	return ARK_OK;
}

static int look(struct export_app *a, const char *place, const struct crypt_public_key *key, bool verify,
                struct ark_err *err)
{
	ark_auto(export_folder_closep) struct export_folder *f = NULL;
	struct export_series s;
	enum ark_rc rc = export_folder_open(place, &a->config->s3, &f, err);
	if (rc == ARK_OK)
		rc = export_series_look(f, &s, err);
	if (rc == ARK_OK && !s.alone && s.last == 0)
		return ark_err_set(err, ARK_KIND_MISSING, "there is no export in '%s'", place);
	if (rc < 0)
		return rc;
	return s.alone ? one_run(a, f, key, verify, err) : all_runs(a, f, &s, key, verify, err);
}

enum ark_rc export_check(struct export_app *a, const struct export_folder *f, const struct crypt_public_key *key,
                         struct ark_err *err)
{
	ark_auto(check_release) struct check c;
	check_init(&c, a, f, key);
	enum ark_rc rc = check_bag(&c, err);
	return rc < 0 ? ark_err_in(err, rc, "%s", export_folder_name(f)) : ARK_OK;
}

enum ark_rc export_public_key(const char *said, struct crypt_public_key *key, struct ark_err *err)
{
	struct ark_err ignored = { 0 };
	if (crypt_minisign_read_public(ark_str_z(said), key, &ignored) == ARK_OK)
		return ARK_OK;
	ark_auto(ark_buf_release) struct ark_buf file;
	ark_buf_init(&file, 1u << 16);
	enum ark_rc rc = export_read_file(said, &file, err);
	if (rc == ARK_OK)
		rc = crypt_minisign_read_public(ark_buf_view(&file), key, err);
	return rc < 0 ? ark_err_in(err, rc, "--public-key") : ARK_OK;
}

int export_command_verify(struct export_app *a, struct ark_err *err)
{
	struct crypt_public_key key;
	const char *said = a->config->public_key;
	enum ark_rc rc = said != NULL ? export_public_key(said, &key, err) : ARK_OK;
	if (rc < 0)
		return rc;
	ark_progress_begin(&a->bar, a->talk);
	a->bar_runs = true;
	ark_progress_phase(&a->bar, "verifying", NULL, 0, 0);
	rc = look(a, a->args->operands.items[0], said != NULL ? &key : NULL, true, err);
	ark_progress_end(&a->bar);
	a->bar_runs = false;
	return rc < 0 ? rc : ARK_EXIT_DONE;
}

int export_command_list(struct export_app *a, struct ark_err *err)
{
	enum ark_rc rc = look(a, a->args->operands.items[0], NULL, false, err);
	return rc < 0 ? rc : ARK_EXIT_DONE;
}

int export_command_keygen(struct export_app *a, struct ark_err *err)
{
	const struct export_config *c = a->config;
	char id[CRYPT_KEY_ID_HEX];
	if ((c->password_file == NULL) == !c->no_password) {
		ark_err_set(err, ARK_KIND_USAGE, "say either --password-file or --no-password");
		return ARK_FAIL;
	}
	enum ark_rc rc = export_keygen(a->args->operands.items[0], c->password_file, id, err);
	if (rc < 0)
		return rc;
	ark_out(a->talk, "key %s: %s signs, %s.pub checks", id, a->args->operands.items[0], a->args->operands.items[0]);
	struct ark_event e;
	ark_event_begin(&e, "summary", "export.key");
	ark_event_text(&e, "id", ark_str_z(id));
	ark_event_send(&e, a->talk);
	return ARK_EXIT_DONE;
}
