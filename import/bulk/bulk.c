#include "import/bulk/bulk.h"

#include "common/base/mem.h"
#include "import/bulk/private.h"
#include "import/load/base.h"
#include "import/load/team.h"
#include "import/translate/names.h"

#include "common/base/banned.h"

#define COPY_BYTES (256u << 10)

static void posts_freep(struct bulk_posts **p)
{
	bulk_posts_free(*p);
}

static void lines_release(struct bulk_lines *o)
{
	ark_buf_release(&o->text);
}

static enum ark_rc put_waiting(struct bulk_lines *o, const struct bulk_posts *posts, bool direct,
                               struct ark_err *err)
{
	uint64_t count;
	const struct bulk_wait *w = bulk_posts_lines(posts, direct, &count);
	ark_auto(ark_freep) char *block = ark_malloc(COPY_BYTES);
	enum ark_rc rc = io_zip_write(o->zip, o->text.data, o->text.len, err);
	ark_buf_reset(&o->text);
	for (uint64_t at = 0, len = bulk_wait_len(w); at < len && rc == ARK_OK;) {
		size_t n = len - at < COPY_BYTES ? (size_t)(len - at) : COPY_BYTES;
		rc = bulk_wait_read(w, at, block, n, err);
		if (rc == ARK_OK)
			rc = io_zip_write(o->zip, block, n, err);
		at += n;
	}
	o->count += count;
	return rc;
}

static enum ark_rc put_lines(const struct load_job *job, struct load *l, const struct bulk_posts *posts,
                             struct bulk_lines *o, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf display;
	ark_buf_init(&display, 4096);
	const char *space = strchr(job->tool, ' ');
	mm_bulk_version(&o->text, "matter-import", space != NULL ? space + 1 : job->tool, 0);
	o->count++;
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < l->teams_count && rc == ARK_OK; i++) {
		const struct load_team *t = &l->teams[i];
		ark_buf_reset(&display);
		name_shown(ark_str_z(t->display != NULL ? t->display : t->name), 64, &display);
		mm_bulk_team(&o->text, &(struct mm_bulk_team){ .name = ark_str_z(t->name),
		                                               .display_name = ark_buf_view(&display) });
		rc = bulk_line(o, err);
	}
	if (rc == ARK_OK)
		rc = bulk_put_channels(l, o, err);
	if (rc == ARK_OK)
		rc = bulk_put_people(l, o, err);
	if (rc == ARK_OK)
		rc = put_waiting(o, posts, false, err);
	if (rc == ARK_OK)
		rc = bulk_put_directs(l, o, err);
	return rc == ARK_OK ? put_waiting(o, posts, true, err) : rc;
}

enum ark_rc bulk_write(const struct load_job *job, struct load *l, const char *path,
                       struct bulk_outcome *out, struct ark_err *err)
{
	*out = (struct bulk_outcome){ 0 };
	ark_auto(bulk_bodies_release) struct bulk_bodies bodies = { 0 };
	ark_auto(posts_freep) struct bulk_posts *posts = bulk_posts_new(l, &bodies);
	ark_auto(lines_release) struct bulk_lines o = { 0 };
	ark_buf_init(&o.text, SIZE_MAX / 2);
	ark_auto(io_zip_freep) struct io_zip *zip = NULL;
	l->set = job->set;
	base_workspace(l, job->workspace);
	enum ark_rc rc = teams_plan(l, err);
	teams_make(l, true);
	if (rc == ARK_OK)
		rc = teams_valid(l, err);
	if (rc == ARK_OK) /* a place that cannot be written to is told before everything is read */
		rc = io_zip_create(path, &zip, err);
	if (rc == ARK_OK)
		rc = bulk_bodies_look(&bodies, l->x, l->set.temp_dir, job->tick, job->ctx, err);
	if (rc < 0)
		return rc;
	struct load_taker taker = bulk_posts_taker(posts);
	l->taker = &taker;
	rc = load_check(job, l, &out->load, err);
	l->taker = NULL;
	if (rc < 0)
		return rc;
	o.zip = zip;
	rc = io_zip_entry(zip, ARK_LIT(MM_BULK_JSONL), IO_ZIP_DEFLATE, err);
	if (rc == ARK_OK)
		rc = put_lines(job, l, posts, &o, err);
	if (rc == ARK_OK)
		rc = bulk_bodies_copy(&bodies, l->x, zip, &out->bodies, &out->bytes, job->tick, job->ctx, err);
	if (rc == ARK_OK)
		rc = io_zip_finish(zip, err);
	out->lines = o.count;
	return rc;
}
