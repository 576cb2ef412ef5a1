/* The bulk import file as an export format: see private.h for what is written. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "export/formats/bulk/private.h"

#include "common/base/banned.h"

#define PIECE (256u << 10)

void bulk_note(struct bulk_file *b, const char *reason, uint64_t n)
{
	b->run->note(b->run->note_ctx, reason, n);
}

struct ark_str bulk_name(const struct bulk_file *b, const struct export_person *p)
{
	return b->names[p - b->run->people];
}

/* Fact  docs/mattermost-facts.md "Channels": a direct one is called <id>__<id> */
bool bulk_pair(const struct bulk_file *b, const struct export_channel *c, const struct export_person *pair[2])
{
	if (c->name.len != 2 * MM_ID_LEN + 2)
		return false;
	pair[0] = export_person_find(b->run, ark_str_first(c->name, MM_ID_LEN));
	pair[1] = export_person_find(b->run, ark_str_from(c->name, MM_ID_LEN + 2));
	return pair[0] != NULL && pair[1] != NULL;
}

/* --- the archive --- */

static enum ark_rc to_file(void *ctx, const void *data, size_t len, struct ark_err *err)
{
	struct bulk_file *b = ctx;
	return export_file_write(b->file, data, len, err);
}

static enum ark_rc put_waiting(struct bulk_file *b, const struct io_spool *s, struct ark_err *err)
{
	ark_auto(ark_freep) char *block = ark_malloc(PIECE);
	enum ark_rc rc = ARK_OK;
	for (uint64_t at = 0; rc == ARK_OK && at < s->len;) {
		size_t n = s->len - at < PIECE ? (size_t)(s->len - at) : PIECE;
		rc = io_spool_read(s, at, block, n, err);
		if (rc == ARK_OK)
			rc = io_zip_write(b->zip, block, n, err);
		at += n;
	}
	return rc;
}

static enum ark_rc put_version(struct bulk_file *b, struct ark_err *err)
{
	const char *space = strchr(b->run->tool, ' ');
	mm_bulk_version(&b->line, "matter-export", space != NULL ? space + 1 : b->run->tool, 0);
	return bulk_line_put(b, err);
}

static enum ark_rc put_all(struct bulk_file *b, struct ark_err *err)
{
	enum ark_rc (*const parts[])(struct bulk_file *, struct ark_err *) = { put_version, bulk_places_put,
		                                                               bulk_people_put };
	enum ark_rc rc = io_zip_entry(b->zip, ARK_LIT(MM_BULK_JSONL), IO_ZIP_DEFLATE, err);
	ark_buf_reset(&b->line);
	for (size_t i = 0; rc == ARK_OK && i < sizeof(parts) / sizeof(parts[0]); i++)
		rc = parts[i](b, err);
	if (rc == ARK_OK)
		rc = put_waiting(b, &b->posts[0], err);
	if (rc == ARK_OK)
		rc = bulk_directs_put(b, err);
	if (rc == ARK_OK)
		rc = put_waiting(b, &b->posts[1], err);
	return rc == ARK_OK ? bulk_bodies_put(b, err) : rc;
}

/* --- the stream --- */

static void bulk_drop(void *self)
{
	struct bulk_file *b = self;
	if (b == NULL)
		return;
	io_zip_free(b->zip);
	export_file_drop(&b->file);
	struct ark_buf *const bufs[] = { &b->object, &b->line, &b->key, &b->scratch };
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		ark_buf_release(bufs[i]);
	struct io_spool *const spools[] = { &b->objects, &b->entries, &b->posts[0], &b->posts[1], &b->bodies };
	for (size_t i = 0; i < sizeof(spools) / sizeof(spools[0]); i++)
		io_spool_close(spools[i]);
	ark_map_release(&b->channels);
	ark_pool_release(&b->strings);
	free(b->reactions);
	free(b->names);
	free(b);
}

/* Those without a message too. A group is one when its members are known: bulk_channel_begin. */
static void gather_channels(struct bulk_file *b)
{
	const struct export_person *pair[2];
	for (size_t i = 0; i < b->run->channels_count; i++) {
		const struct export_channel *c = &b->run->channels[i];
		bool in_team = (c->kind == EXPORT_PUBLIC || c->kind == EXPORT_PRIVATE) && c->team_name.len > 0;
		if (in_team || (c->kind == EXPORT_DIRECT && bulk_pair(b, c, pair)))
			ark_map_put(&b->channels, c->id, (uint32_t)i);
	}
}

static enum ark_rc bulk_begin(const struct export_run *run, void **self, struct ark_err *err)
{
	(void)err;
	struct bulk_file *b = ark_calloc(1, sizeof(*b));
	*self = b;
	b->run = run;
	b->objects = b->entries = b->posts[0] = b->posts[1] = b->bodies = IO_SPOOL_NONE;
	struct ark_buf *const bufs[] = { &b->object, &b->line, &b->key, &b->scratch };
	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		ark_buf_init(bufs[i], BULK_BUFFER);
	bulk_names_make(b);
	gather_channels(b);
	return ARK_OK;
}

static bool group_place(struct bulk_file *b, const struct export_channel *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->members_count; i++) {
		const struct export_member *m = &c->members[i];
		if (!m->now)
			continue;
		if (m->person == NULL || n == MM_GROUP_MEMBERS_MAX)
			return false;
		b->members[n++] = bulk_name(b, m->person);
	}
	b->place.members_count = n;
	return n >= MM_GROUP_MEMBERS_MIN;
}

static bool direct_place(struct bulk_file *b, const struct export_channel *c)
{
	const struct export_person *pair[2];
	if (!bulk_pair(b, c, pair))
		return false;
	b->members[0] = bulk_name(b, pair[0]);
	b->members[1] = bulk_name(b, pair[1]);
	b->place.members_count = 2;
	return true;
}

static enum ark_rc bulk_channel_begin(void *self, const struct export_channel *c, struct ark_err *err)
{
	struct bulk_file *b = self;
	(void)err;
	b->place = (struct mm_bulk_place){ .team = c->team_name, .channel = c->name, .members = b->members };
	switch (c->kind) {
	case EXPORT_PUBLIC:
	case EXPORT_PRIVATE:
		b->takes = c->team_name.len > 0;
		break;
	case EXPORT_DIRECT:
		b->takes = direct_place(b, c);
		break;
	case EXPORT_GROUP:
		b->takes = group_place(b, c);
		break;
	default:
		b->takes = false;
	}
	if (b->takes && c->kind == EXPORT_GROUP)
		ark_map_put(&b->channels, c->id, (uint32_t)(c - b->run->channels));
	return ARK_OK;
}

static enum ark_rc bulk_record(void *self, const struct export_record *r, struct ark_err *err)
{
	return bulk_posts_add(self, r, err);
}

static enum ark_rc bulk_channel_end(void *self, const struct export_channel *c, struct ark_err *err)
{
	(void)c;
	return bulk_posts_flush(self, err);
}

static enum ark_rc bulk_end(void *self, struct ark_err *err)
{
	struct bulk_file *b = self;
	enum ark_rc rc = export_file_begin(b->run->out, "data/bulk/export.zip", EXPORT_PLAIN, &b->file, err);
	if (rc == ARK_OK)
		rc = io_zip_to(to_file, b, &b->zip, err);
	if (rc == ARK_OK)
		rc = put_all(b, err);
	if (rc == ARK_OK)
		rc = io_zip_finish(b->zip, err);
	return rc == ARK_OK ? export_file_end(&b->file, err) : rc;
}

const struct export_format EXPORT_BULK = {
	.name = "bulk",
	.alone = true,
	.wants_members = true,
	.begin = bulk_begin,
	.channel_begin = bulk_channel_begin,
	.record = bulk_record,
	.channel_end = bulk_channel_end,
	.end = bulk_end,
	.drop = bulk_drop,
};
