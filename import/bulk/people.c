#include "import/bulk/private.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "import/load/account.h"
#include "import/load/rows.h"
#include "import/load/target.h"
#include "import/translate/names.h"

#include "common/base/banned.h"

#define OUT_BYTES (256u << 10)

enum ark_rc bulk_line(struct bulk_lines *o, struct ark_err *err)
{
	o->count++;
	if (o->text.len < OUT_BYTES)
		return ARK_OK;
	enum ark_rc rc = io_zip_write(o->zip, o->text.data, o->text.len, err);
	ark_buf_reset(&o->text);
	return rc;
}

/* Newest post of all: the moment of what has no time of its own, the same on every run. */
static int64_t newest_ms(const struct load *l)
{
	int64_t ms = 1;
	for (uint32_t i = 0; i < l->targets_count; i++)
		if (l->targets[i].last_post_ms > ms)
			ms = l->targets[i].last_post_ms;
	return ms;
}

/* The server makes town-square and off-topic with the team; a line only says what Slack says. */
static bool has_line(const struct load *l, uint32_t target)
{
	const struct load_target *t = &l->targets[target];
	bool given = target == l->teams[0].town_square || target == l->teams[0].off_topic;
	return !t->skipped && !target_is_direct(t) && (!given || t->first_conv != CONV_NONE);
}

enum ark_rc bulk_put_channels(const struct load *l, struct bulk_lines *o, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < l->targets_count && rc == ARK_OK; i++) {
		const struct load_target *t = &l->targets[i];
		if (!has_line(l, i))
			continue;
		struct mm_bulk_channel c = {
			.team = ark_str_z(l->set.team), .name = t->name, .display_name = t->display,
			.header = t->header, .purpose = t->purpose, .is_private = t->type == 'P',
			.deleted_ms = t->archived_ms == l->start_ms ? newest_ms(l) : t->archived_ms,
		};
		mm_bulk_channel(&o->text, &c);
		rc = bulk_line(o, err);
	}
	return rc;
}

/* ---- people ---- */

/* Which channels everybody is in: targets, those of person p from start[p] to start[p + 1]. */
struct memberships {
	uint32_t *start, *targets;
};

static void memberships_release(struct memberships *m)
{
	free(m->start);
	free(m->targets);
}

static void memberships_make(const struct load *l, struct memberships *m)
{
	uint32_t people = l->x->people.count;
	m->start = ark_calloc((size_t)people + 2, sizeof(*m->start));
	for (uint32_t t = 0; t < l->targets_count; t++) {
		struct ark_number_iter it = ark_numbers_read(&l->targets[t].members);
		for (uint32_t person; has_line(l, t) && ark_numbers_next(&it, &person);)
			m->start[person + 2]++;
	}
	for (uint32_t i = 2; i < people + 2; i++)
		m->start[i] += m->start[i - 1];
	m->targets = ark_calloc((size_t)m->start[people + 1] + 1, sizeof(*m->targets));
	for (uint32_t t = 0; t < l->targets_count; t++) {
		struct ark_number_iter it = ark_numbers_read(&l->targets[t].members);
		for (uint32_t person; has_line(l, t) && ark_numbers_next(&it, &person);)
			m->targets[m->start[person + 1]++] = t;
	}
}

static struct mm_bulk_reading all_read(const struct load_target *t)
{
	return (struct mm_bulk_reading){ .msg_count = (int64_t)t->posts, .msg_count_root = (int64_t)t->roots,
		                         .last_viewed_ms = t->last_post_ms };
}

struct person_texts {
	struct ark_buf mail, auth, nick, first, last, position;
};

static void texts_init(struct person_texts *x)
{
	struct ark_buf *all[] = { &x->mail, &x->auth, &x->nick, &x->first, &x->last, &x->position };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ark_buf_init(all[i], 1u << 20);
}

static void texts_release(struct person_texts *x)
{
	struct ark_buf *all[] = { &x->mail, &x->auth, &x->nick, &x->first, &x->last, &x->position };
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ark_buf_release(all[i]);
}

static struct ark_str shown(struct ark_buf *out, struct ark_str s, size_t runes)
{
	ark_buf_reset(out);
	if (ark_str_has(s))
		name_shown(s, runes, out);
	return out->len > 0 ? ark_buf_view(out) : ARK_STR_NONE;
}

static int64_t deleted_ms(const struct load *l, const struct slack_person *p)
{
	if (p->active)
		return 0;
	return p->deleted && p->updated_s > 0 ? p->updated_s * 1000 : newest_ms(l);
}

static void put_user(struct load *l, uint32_t person, const struct mm_bulk_in_team *team, bool in_team,
                     struct person_texts *x, struct ark_buf *out)
{
	const struct slack_person *p = &l->x->people.list[person];
	struct ark_str first, last;
	rows_names(p, &first, &last);
	ark_buf_reset(&x->mail);
	ark_buf_reset(&x->auth);
	account_email(l, person, &x->mail);
	const char *service = account_auth(l, person, &x->auth);
	struct mm_bulk_user u = {
		.username = p->username, .email = ark_buf_view(&x->mail),
		.nickname = shown(&x->nick, p->display_name, MM_PERSON_NAME_RUNES),
		.first_name = shown(&x->first, first, MM_PERSON_NAME_RUNES),
		.last_name = shown(&x->last, last, MM_PERSON_NAME_RUNES),
		.position = shown(&x->position, p->title, MM_POSITION_RUNES),
		.locale = ark_str_z(rows_locale(p->locale)),
		/* an ordinary role is left out: said for the only administrator of a server, it ends the import */
		.roles = rows_guest(l, p)  ? ARK_LIT("system_guest")
		         : p->admin_here   ? ARK_LIT("system_user system_admin")
		                           : ARK_STR_NONE,
		.auth_service = ark_str_z(service),
		.auth_data = service != NULL ? ark_buf_view(&x->auth) : ARK_STR_NONE,
		.delete_ms = deleted_ms(l, p), .teams = team, .teams_count = in_team,
	};
	mm_bulk_user(out, &u);
}

static void put_bot(const struct load *l, const struct slack_person *p, struct person_texts *x,
                    struct ark_buf *out)
{
	struct mm_bulk_bot b = {
		.username = p->username, .owner = ARK_LIT("matterark"),
		.display_name = shown(&x->first, ark_str_has(p->real_name) ? p->real_name : p->name,
		                      MM_PERSON_NAME_RUNES),
		.description = ARK_LIT("Imported from Slack"), .delete_ms = deleted_ms(l, p),
	};
	mm_bulk_bot(out, &b);
}

/* The channels of one person in the team; town-square is everybody's but guests'. */
static struct mm_bulk_in_team in_team(const struct load *l, const struct memberships *m, uint32_t person,
                                      struct mm_bulk_in_channel *channels)
{
	const struct slack_person *p = &l->x->people.list[person];
	bool guest = rows_guest(l, p), town = false;
	struct mm_bulk_in_team team = { .name = ark_str_z(l->set.team), .admin = p->admin_here, .guest = guest,
		                        .channels = channels };
	for (uint32_t i = m->start[person]; i < m->start[person + 1]; i++) {
		const struct load_target *t = &l->targets[m->targets[i]];
		town |= m->targets[i] == l->teams[0].town_square;
		channels[team.channels_count++] = (struct mm_bulk_in_channel){
			.name = t->name, .admin = person == t->creator && !guest, .guest = guest,
			.reading = all_read(t) };
	}
	if (!guest && !town && has_line(l, l->teams[0].town_square))
		channels[team.channels_count++] = (struct mm_bulk_in_channel){
			.name = l->targets[l->teams[0].town_square].name, .reading = all_read(&l->targets[l->teams[0].town_square]) };
	return team;
}

enum ark_rc bulk_put_people(struct load *l, struct bulk_lines *o, struct ark_err *err)
{
	ark_auto(memberships_release) struct memberships m = { 0 };
	ark_auto(texts_release) struct person_texts x;
	texts_init(&x);
	memberships_make(l, &m);
	ark_auto(ark_freep) struct mm_bulk_in_channel *channels =
	    ark_calloc((size_t)l->targets_count + 1, sizeof(*channels));
	enum ark_rc rc = ARK_OK;
	for (int bots = 0; bots < 2; bots++) {
		for (uint32_t i = 0; i < l->x->people.count && rc == ARK_OK; i++) {
			const struct slack_person *p = &l->x->people.list[i];
			if (!rows_account(l, i) || p->merged || (p->kind != PERSON_HUMAN) != bots)
				continue;
			struct mm_bulk_in_team team = in_team(l, &m, i, channels);
			bool member = (p->listed && !p->deleted) || m.start[i] < m.start[i + 1];
			if (bots)
				put_bot(l, p, &x, &o->text);
			else
				put_user(l, i, &team, member, &x, &o->text);
			rc = bulk_line(o, err);
		}
	}
	return rc;
}

enum ark_rc bulk_put_directs(const struct load *l, struct bulk_lines *o, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < l->targets_count && rc == ARK_OK; i++) {
		const struct load_target *t = &l->targets[i];
		struct mm_bulk_participant people[MM_GROUP_MEMBERS_MAX];
		struct ark_str shown_by[MM_GROUP_MEMBERS_MAX];
		struct mm_bulk_direct d = { .people = people, .shown_by = shown_by, .header = ARK_STR_NONE };
		if (t->skipped || !target_is_direct(t))
			continue;
		struct ark_number_iter it = ark_numbers_read(&t->members);
		for (uint32_t m; ark_numbers_next(&it, &m);) {
			const struct slack_person *p = &l->x->people.list[m];
			people[d.count++] = (struct mm_bulk_participant){ p->username, rows_guest(l, p), all_read(t) };
			if (p->kind == PERSON_HUMAN)
				shown_by[d.shown_count++] = p->username;
		}
		if (d.count == 1)
			people[d.count++] = people[0];
		mm_bulk_direct_channel(&o->text, &d);
		rc = bulk_line(o, err);
	}
	return rc;
}
