#include "import/load/gather.h"

#include "import/load/target.h"
#include "import/slack/day.h"
#include "import/slack/elements.h"
#include "import/slack/mend.h"

#include "common/base/banned.h"

#define A_DAY_MS 86400000 /* clocks differ */

struct reading {
	const struct gather *g;
	struct load *l;
	struct json_doc *doc;
	struct translator translator;
	struct channel_loader *loader;
	struct io_spool file;   /* spilled runs */
	size_t memory;            /* of records that wait */
	struct ark_buf mended;
	/* the piece under way */
	uint32_t source, conv;
	struct ark_str name;
	uint64_t offset, len;
};

static struct load_target *target_of(const struct reading *r)
{
	return &r->l->targets[r->l->x->convs.list[r->conv].target];
}

static void skip(struct reading *r, enum skip_reason reason, int64_t ts_us, const char *detail)
{
	target_of(r)->count.skipped[reason]++;
	struct load_report *report = &r->l->report;
	/* an option's or rule's work is in the counts; a line of its own is for what somebody may miss */
	if (report->on_skip != NULL)
		report->on_skip(report->on_skip_ctx, r->source, r->name, r->offset, r->len, r->conv, ts_us,
		                reason, detail);
}

static bool channel_name(void *ctx, uint32_t conv, struct ark_str *out)
{
	const struct reading *r = ctx;
	return target_mention(r->l, target_team(r->l, r->conv), conv, out);
}

static bool channel_elsewhere(void *ctx, uint32_t conv, struct ark_str *out)
{
	const struct reading *r = ctx;
	return target_elsewhere(r->l, target_team(r->l, r->conv), conv, out);
}

/* ---- one element ---- */

static void take_element(struct reading *r, struct json_val v)
{
	struct load_target *t = target_of(r);
	t->count.read++;
	struct slack_message m;
	switch (slack_message_decode(v, &m)) {
	case MESSAGE_NULL: skip(r, SKIP_NULL_ELEMENT, 0, ""); return;
	case MESSAGE_NOT_ONE: skip(r, SKIP_NOT_A_MESSAGE, 0, ""); return;
	case MESSAGE_BAD_TS: skip(r, SKIP_BAD_TS, 0, "ts is no number of seconds"); return;
	case MESSAGE_FINE: break;
	}
	/* how old the archive is, whatever is taken of it; a time that is still to come tells nothing */
	int64_t *newest = &r->l->x->sources[r->source].newest_us;
	if (m.ts_us > *newest && m.ts_us < (r->l->start_ms + A_DAY_MS) * 1000)
		*newest = m.ts_us;
	if (t->skipped) {
		skip(r, t->skip, m.ts_us, "");
		return;
	}
	size_t before = t->records.cap;
	enum skip_reason reason = translate_message(&r->translator, &m, r->conv, r->source, &t->records);
	r->memory += t->records.cap - before;
	if (reason != SKIP_NONE)
		skip(r, reason, m.ts_us, "");
	else
		t->count.files += json_count(m.files) + (json_type(m.file) == JSON_OBJECT);
}

static void take_root(struct reading *r, struct json_val root)
{
	if (json_type(root) == JSON_ARRAY) {
		struct json_iter it = json_items(root);
		for (struct json_val v; json_next(&it, &v);)
			take_element(r, v);
	} else if (json_type(root) == JSON_OBJECT) {
		take_element(r, root); /* bad tools write a single message so */
	} else if (json_type(root) != JSON_NULL) {
		target_of(r)->count.read++;
		skip(r, SKIP_DAMAGED_RANGE, 0, "no array of messages");
	}
}

static enum ark_rc on_element(void *ctx, struct ark_str text, uint64_t offset, uint64_t len,
                              enum slack_cut cut, struct ark_err *err)
{
	(void)err;
	struct reading *r = ctx;
	struct ark_err why = { 0 };
	struct json_val root;
	r->offset = offset;
	r->len = len;
	if (cut == CUT_ELEMENT && slack_parse(r->doc, text, &r->mended, &root, &why) == ARK_OK) {
		take_element(r, root);
		return ARK_OK;
	}
	target_of(r)->count.read++;
	skip(r, cut == CUT_TOO_LARGE ? SKIP_TOO_LARGE : SKIP_DAMAGED_RANGE, 0,
	     cut == CUT_ELEMENT ? why.text : "not valid JSON");
	return ARK_OK;
}

/* A file that is no JSON as a whole: element by element. */
static enum ark_rc take_damaged(struct reading *r, struct ark_str text, struct ark_err *err)
{
	ark_auto(slack_elements_release) struct slack_elements cutter;
	slack_elements_init(&cutter, on_element, r);
	enum ark_rc rc = slack_elements_feed(&cutter, text, err);
	return rc < 0 ? rc : slack_elements_end(&cutter, err);
}

/* ---- memory ---- */

static enum ark_rc spill_largest(struct reading *r, struct ark_err *err)
{
	while (r->memory > r->l->set.memory_bytes) {
		struct load_target *largest = NULL;
		for (uint32_t i = 0; i < r->l->targets_count; i++)
			if (largest == NULL || r->l->targets[i].records.cap > largest->records.cap)
				largest = &r->l->targets[i];
		if (largest == NULL || largest->records.len == 0)
			return ARK_OK;
		r->memory -= largest->records.cap;
		enum ark_rc rc = load_spill_run(&largest->spill, &r->file, r->l->set.temp_dir,
		                                &largest->records, err);
		if (rc < 0)
			return rc;
	}
	return ARK_OK;
}

static enum ark_rc complete(struct reading *r, uint32_t target, struct ark_err *err)
{
	struct load_target *t = &r->l->targets[target];
	if (t->skipped)
		return ARK_OK;
	r->memory -= t->records.cap;
	enum ark_rc rc = ARK_OK;
	if (t->spill != NULL)
		rc = load_spill_run(&t->spill, &r->file, r->l->set.temp_dir, &t->records, err);
	return rc < 0 ? rc : channel_load(r->loader, target, &r->file, err);
}

static enum ark_rc file_done(struct reading *r, struct ark_err *err)
{
	uint32_t target = r->l->x->convs.list[r->conv].target;
	struct load_target *t = &r->l->targets[target];
	if (t->files_left == 0)
		return ark_err_stop(err, ARK_KIND_INPUT, "the archive changed while it was read");
	return --t->files_left == 0 ? complete(r, target, err) : ARK_OK;
}

/* ---- pieces ---- */

static enum ark_rc take_piece(struct reading *r, const struct slack_block *b,
                              const struct slack_piece *p, struct ark_err *err)
{
	struct ark_str text = slack_piece_text(b, p);
	struct ark_err why;
	struct json_val root;
	enum ark_rc rc = ARK_OK;
	r->source = p->source;
	r->conv = p->conv;
	r->name = slack_piece_name(b, p);
	r->offset = p->offset;
	r->len = p->len;
	switch (p->kind) {
	case PIECE_FILE:
		if (ark_str_trim(text).len == 0)
			break; /* an empty file holds no messages */
		if (slack_parse(r->doc, text, &r->mended, &root, &why) == ARK_OK)
			take_root(r, root);
		else
			rc = take_damaged(r, text, err);
		break;
	case PIECE_ELEMENT: rc = on_element(r, text, p->offset, p->len, CUT_ELEMENT, err); break;
	case PIECE_DAMAGED: rc = on_element(r, text, p->offset, p->len, CUT_DAMAGED, err); break;
	case PIECE_TOO_LARGE: rc = on_element(r, text, p->offset, p->len, CUT_TOO_LARGE, err); break;
	case PIECE_END: break;
	}
	if (rc == ARK_OK && r->memory > r->l->set.memory_bytes)
		rc = spill_largest(r, err);
	if (rc == ARK_OK && (p->kind == PIECE_FILE || p->kind == PIECE_END))
		rc = file_done(r, err);
	return rc;
}

static void reading_release(struct reading *r)
{
	json_doc_free(r->doc);
	translator_release(&r->translator);
	channel_loader_free(r->loader);
	io_spool_close(&r->file);
	ark_buf_release(&r->mended);
}

enum ark_rc gather_run(const struct gather *g, struct ark_err *err)
{
	struct load *l = g->l;
	ark_auto(reading_release) struct reading r = { .g = g, .l = l, .file = IO_SPOOL_NONE };
	r.doc = json_doc_new();
	ark_buf_init(&r.mended, SLACK_MENDED_MAX);
	struct translate_names names = { .ctx = &r, .channel = channel_name, .elsewhere = channel_elsewhere };
	translator_init(&r.translator, l->x, &names, &g->options);
	r.loader = channel_loader_new(l, g->sink);
	ark_auto(slack_days_closep) struct slack_days *days = slack_days_open(l->x);
	for (;;) {
		struct slack_block *block;
		enum ark_rc rc = slack_days_next(days, &block, err);
		if (rc == ARK_END) {
			l->report.reactions_cut = r.translator.reactions_cut;
			l->report.odd_subtypes = r.translator.odd_subtypes;
			r.translator.odd_subtypes = (struct ark_map){ 0 };
			return ARK_OK;
		}
		for (uint32_t i = 0; rc == ARK_OK && i < block->count; i++) {
			struct load_target *t = &l->targets[l->x->convs.list[block->pieces[i].conv].target];
			uint64_t before = t->count.read;
			rc = take_piece(&r, block, &block->pieces[i], err);
			if (rc == ARK_OK)
				rc = g->tick(g->tick_ctx, t->count.read - before, block->pieces[i].text_len, err);
		}
		if (rc < 0)
			return rc;
		slack_days_return(days, block);
	}
}
