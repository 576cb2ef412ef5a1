/*
 * The table of a snapshot's contents: lines of fields separated by tabs, in the escapes of COPY text.
 *
 *	table         schema name columns order id|- rows bytes digest
 *	large-objects id|- rows bytes digest
 *	schema        name id
 *	sequence      schema name value called
 *	refresh       schema name
 *	files         name id|- rows bytes
 *	config|environment|config-file   name id
 *	dictionary    id
 *	source        name value
 */
#include <stdlib.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/repo/snapshot.h"

#include "common/base/banned.h"

/* What stands in a line of each kind, in this order. */
enum shape {
	HAS_SCHEMA = 1,
	HAS_NAME = 2,
	HAS_COLUMNS = 4, /* and order */
	HAS_VALUE = 8,
	HAS_CALLED = 16,
	HAS_ID = 32,
	HAS_ROWS = 64,   /* and bytes */
	HAS_DIGEST = 128,
};

static const struct {
	const char *word;
	unsigned shape;
} KINDS[] = {
	[REPO_PART_TABLE] = { "table", HAS_SCHEMA | HAS_NAME | HAS_COLUMNS | HAS_ID | HAS_ROWS | HAS_DIGEST },
	[REPO_PART_LARGE] = { "large-objects", HAS_ID | HAS_ROWS | HAS_DIGEST },
	[REPO_PART_SCHEMA] = { "schema", HAS_NAME | HAS_ID },
	[REPO_PART_SEQUENCE] = { "sequence", HAS_SCHEMA | HAS_NAME | HAS_VALUE | HAS_CALLED },
	[REPO_PART_REFRESH] = { "refresh", HAS_SCHEMA | HAS_NAME },
	[REPO_PART_FILES] = { "files", HAS_NAME | HAS_ID | HAS_ROWS },
	[REPO_PART_CONFIG] = { "config", HAS_NAME | HAS_ID },
	[REPO_PART_ENVIRON] = { "environment", HAS_NAME | HAS_ID },
	[REPO_PART_CONFIG_FILE] = { "config-file", HAS_NAME | HAS_ID },
	[REPO_PART_DICTIONARY] = { "dictionary", HAS_ID },
	[REPO_PART_SOURCE] = { "source", HAS_NAME | HAS_VALUE },
};
#define KIND_COUNT (sizeof(KINDS) / sizeof(KINDS[0]))

static void add_text(struct ark_buf *out, struct ark_str s)
{
	ark_buf_c(out, '\t');
	for (size_t i = 0; i < s.len; i++) {
		const char *from = "\\\t\n\r", *to = "\\tnr";
		const char *at = s.ptr[i] != '\0' ? strchr(from, s.ptr[i]) : NULL;
		if (at == NULL) {
			ark_buf_c(out, s.ptr[i]);
		} else {
			ark_buf_c(out, '\\');
			ark_buf_c(out, to[at - from]);
		}
	}
}

static void add_id(struct ark_buf *out, bool has, const struct repo_id *id)
{
	ark_buf_c(out, '\t');
	if (has)
		repo_id_add(id, out);
	else
		ark_buf_c(out, '-');
}

void repo_part_write(const struct repo_part *p, struct ark_buf *out)
{
	unsigned shape = KINDS[p->kind].shape;
	ark_buf_z(out, KINDS[p->kind].word);
	if (shape & HAS_SCHEMA)
		add_text(out, p->schema);
	if (shape & HAS_NAME)
		add_text(out, p->name);
	if (shape & HAS_COLUMNS) {
		add_text(out, p->columns);
		add_text(out, p->order);
	}
	if (shape & HAS_VALUE)
		add_text(out, p->value);
	if (shape & HAS_CALLED)
		ark_buf_z(out, p->called ? "\tt" : "\tf");
	if (shape & HAS_ID)
		add_id(out, p->has_id, &p->id);
	if (shape & HAS_ROWS)
		ark_buf_fmt(out, "\t%llu\t%llu", (unsigned long long)p->rows, (unsigned long long)p->bytes);
	if (shape & HAS_DIGEST)
		add_id(out, true, &p->digest);
	ark_buf_c(out, '\n');
}

/* Fields of one line; escapes are undone in place. */
struct fields {
	char *at;
	char *end;
	bool bad;
};

static struct ark_str next(struct fields *f)
{
	char *from = f->at, *to = f->at;
	if (f->at > f->end) {
		f->bad = true;
		return ARK_LIT("");
	}
	for (; f->at < f->end && *f->at != '\t'; f->at++) {
		char c = *f->at;
		if (c == '\\' && f->at + 1 < f->end) {
			f->at++;
			c = *f->at == 't' ? '\t' : *f->at == 'n' ? '\n' : *f->at == 'r' ? '\r' : *f->at;
		}
		*to++ = c;
	}
	f->at++; /* over the tab, or behind the end */
	return ark_str_n(from, (size_t)(to - from));
}

static uint64_t next_number(struct fields *f)
{
	uint64_t n = 0;
	if (!ark_str_u64(next(f), &n))
		f->bad = true;
	return n;
}

static bool next_id(struct fields *f, struct repo_id *id)
{
	struct ark_str s = next(f);
	if (ark_str_eqz(s, "-"))
		return false;
	if (!repo_id_parse(s, id))
		f->bad = true;
	return true;
}

static bool parse_line(char *line, size_t len, struct repo_part *p)
{
	struct fields f = { .at = line, .end = line + len };
	struct ark_str word = next(&f);
	size_t kind = 0;
	while (kind < KIND_COUNT && !ark_str_eqz(word, KINDS[kind].word))
		kind++;
	if (kind == KIND_COUNT)
		return false;
	unsigned shape = KINDS[kind].shape;
	struct ark_str none = ARK_LIT("");
	*p = (struct repo_part){ .kind = (enum repo_part_kind)kind, .schema = none, .name = none, .columns = none,
		                 .order = none, .value = none };
	if (shape & HAS_SCHEMA)
		p->schema = next(&f);
	if (shape & HAS_NAME)
		p->name = next(&f);
	if (shape & HAS_COLUMNS) {
		p->columns = next(&f);
		p->order = next(&f);
	}
	if (shape & HAS_VALUE)
		p->value = next(&f);
	if (shape & HAS_CALLED)
		p->called = ark_str_eqz(next(&f), "t");
	if (shape & HAS_ID)
		p->has_id = next_id(&f, &p->id);
	if (shape & HAS_ROWS) {
		p->rows = next_number(&f);
		p->bytes = next_number(&f);
	}
	if (shape & HAS_DIGEST && !next_id(&f, &p->digest))
		f.bad = true;
	return !f.bad && f.at > f.end;
}

enum ark_rc repo_contents_parse(struct repo_contents *c, struct ark_err *err)
{
	size_t cap = 0;
	char *at = c->text.data, *end = at + c->text.len;
	c->count = 0;
	while (at < end) {
		char *line_end = memchr(at, '\n', (size_t)(end - at));
		if (c->count == cap) {
			cap = cap == 0 ? 128 : 2 * cap;
			c->parts = ark_realloc(c->parts, cap, sizeof(*c->parts));
		}
		if (line_end == NULL || !parse_line(at, (size_t)(line_end - at), &c->parts[c->count]))
			return ark_err_set(err, ARK_KIND_INPUT, "line %zu of the contents is damaged", c->count + 1);
		c->count++;
		at = line_end + 1;
	}
	return ARK_OK;
}

enum ark_rc repo_contents_read(struct repo *r, const struct repo_snapshot *s, struct repo_contents *out,
                               struct ark_err *err)
{
	*out = (struct repo_contents){ 0 };
	ark_buf_init(&out->text, LIMIT_REPO_INDEX);
	enum ark_rc rc = repo_read(r, &s->contents, &out->text, err);
	if (rc == ARK_OK)
		rc = repo_contents_parse(out, err);
	const struct repo_part *dict = rc == ARK_OK ? repo_part_find(out, REPO_PART_DICTIONARY, NULL) : NULL;
	if (dict != NULL && dict->has_id)
		rc = repo_use_dictionary(r, &dict->id, err);
	if (rc < 0) {
		repo_contents_release(out);
		return ark_err_in(err, rc, "snapshot '%s'", s->name);
	}
	return ARK_OK;
}

enum ark_rc repo_open_beside(const struct repo_options *opt, const struct repo_contents *c, struct repo **out,
                             struct ark_err *err)
{
	const struct repo_part *dict = repo_part_find(c, REPO_PART_DICTIONARY, NULL);
	enum ark_rc rc = repo_open(opt, out, err);
	return rc == ARK_OK && dict != NULL && dict->has_id ? repo_use_dictionary(*out, &dict->id, err) : rc;
}

void repo_contents_release(struct repo_contents *c)
{
	free(c->parts);
	ark_buf_release(&c->text);
	*c = (struct repo_contents){ 0 };
}

const struct repo_part *repo_part_find(const struct repo_contents *c, enum repo_part_kind kind,
                                       const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->parts[i].kind == kind && (name == NULL || ark_str_eqz(c->parts[i].name, name)))
			return &c->parts[i];
	return NULL;
}

struct ark_str repo_source(const struct repo_contents *c, const char *name)
{
	const struct repo_part *p = repo_part_find(c, REPO_PART_SOURCE, name);
	return p != NULL ? p->value : ARK_STR_NONE;
}
