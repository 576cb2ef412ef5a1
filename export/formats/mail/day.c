#include "export/formats/mail/day.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/time.h"

#include "common/base/banned.h"

#define DAY_MS 86400000
#define NOBODY (ARK_MAP_NONE - 1)

void day_init(struct day *d, const struct export_run *run)
{
	*d = (struct day){ .run = run, .day = -1 };
}

static void forget_files(struct day *d)
{
	for (size_t i = 0; i < d->files_count; i++) {
		free(d->files[i].id);
		free(d->files[i].name);
		free(d->files[i].mime_type);
		free(d->files[i].copy_path);
	}
	free(d->files);
	d->files = NULL;
	d->files_count = 0;
}

void day_release(struct day *d)
{
	forget_files(d);
	ark_map_release(&d->people);
}

void day_channel(struct day *d, const struct export_channel *channel)
{
	d->channel = channel;
	d->day = -1;
	d->part = 0;
}

bool day_is_over(const struct day *d, const struct export_record *r)
{
	return d->day >= 0 && d->count > 0 &&
	       (r->create_ms / DAY_MS != d->day || d->count >= DAY_RECORDS || d->bytes >= DAY_BYTES);
}

void day_begin(struct day *d, const struct export_record *r)
{
	int64_t day = r->create_ms > 0 ? r->create_ms / DAY_MS : 0;
	d->part = day == d->day ? d->part + 1 : 1;
	d->day = day;
	d->count = d->bytes = 0;
	d->first_ms = d->last_ms = r->create_ms;
	ark_map_clear(&d->people);
}

void day_person(struct day *d, struct ark_str id, const struct export_person *p)
{
	if (id.len > 0 && ark_map_get(&d->people, id) == ARK_MAP_NONE)
		ark_map_put(&d->people, id, p != NULL ? (uint32_t)(p - d->run->people) : NOBODY);
}

const struct export_person *day_person_at(const struct day *d, uint32_t n, struct ark_str *id)
{
	uint32_t at = d->people.entries[n].value;
	*id = ark_map_key(&d->people, n);
	return at != NOBODY ? &d->run->people[at] : NULL;
}

static void add_file(struct day *d, const struct export_attachment *f)
{
	if ((d->files_count & (d->files_count + 1)) == 0)
		d->files = ark_realloc(d->files, 2 * d->files_count + 2, sizeof(*d->files));
	d->files[d->files_count++] = (struct day_file){ ark_strdup(f->id), ark_strdup(f->name),
		                                        ark_strdup(f->mime_type), ark_strdup(f->copy_path) };
}

void day_add(struct day *d, const struct export_record *r)
{
	d->count++;
	if (r->create_ms > d->last_ms)
		d->last_ms = r->create_ms;
	day_person(d, r->author_id, r->author);
	for (size_t i = 0; i < r->reactions_count; i++)
		day_person(d, r->reactions[i].user_id, r->reactions[i].person);
	for (size_t i = 0; i < r->attachments_count; i++)
		if (r->attachments[i].bytes == EXPORT_BYTES_COPIED)
			add_file(d, &r->attachments[i]);
}

void day_end(struct day *d)
{
	forget_files(d);
	d->count = d->bytes = 0;
}

void day_name(const struct day *d, struct ark_buf *out)
{
	char iso[ARK_TIME_ISO];
	ark_time_iso(d->day * DAY_MS, iso);
	ark_buf_fmt(out, "%.10s", iso);
	if (d->part > 1)
		ark_buf_fmt(out, "-%u", d->part);
}

void day_path(const struct day *d, const char *format, const char *ending, struct ark_buf *out)
{
	ark_buf_fmt(out, "data/%s/%.*s/%.*s/", format, ARK_FMT(d->channel->team_path),
	            ARK_FMT(d->channel->channel_path));
	day_name(d, out);
	ark_buf_fmt(out, ".%s", ending);
}

struct ark_str day_channel_title(const struct day *d)
{
	return d->channel->display_name.len > 0 ? d->channel->display_name : d->channel->name;
}
