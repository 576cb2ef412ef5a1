#include "import/bulk/private.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "import/load/account.h"
#include "import/load/rows.h"
#include "import/load/target.h"
#include "import/load/team.h"
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
	if (t->skipped || target_is_direct(t))
		return false;
	const struct load_team *team = &l->teams[t->team];
	bool given = target == team->town_square || target == team->off_topic;
	return !given || t->first_conv != CONV_NONE;
}

enum ark_rc bulk_put_channels(const struct load *l, struct bulk_lines *o, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < l->targets_count && rc == ARK_OK; i++) {
		const struct load_target *t = &l->targets[i];
		if (!has_line(l, i))
			continue;
		struct mm_bulk_channel c = {
			.team = ark_str_z(l->teams[t->team].name), .name = t->name, .display_name = t->display,
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

static void put_user(struct load *l, uint32_t person, const struct mm_bulk_in_team *teams, size_t count,
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
		.delete_ms = deleted_ms(l, p), .teams = teams, .teams_count = count,
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

/* Who is in which team: people times teams. */
static bool *team_members_make(const struct load *l)
{
	bool *member = ark_calloc((size_t)l->teams_count * l->x->people.count + 1, sizeof(*member));
	for (uint32_t t = 0; t < l->teams_count; t++)
		team_members(l, t, member + (size_t)t * l->x->people.count);
	return member;
}

/* The channels of one person in a team; town-square is everybody's but guests'. */
static struct mm_bulk_in_team in_team(const struct load *l, const struct memberships *m, uint32_t team, uint32_t person,
                                      struct mm_bulk_in_channel *channels)
{
	const struct slack_person *p = &l->x->people.list[person];
	const struct load_team *t = &l->teams[team];
	bool guest = rows_guest(l, p), town = false;
	struct mm_bulk_in_team out = { .name = ark_str_z(t->name), .admin = p->admin_here, .guest = guest,
		                       .channels = channels };
	for (uint32_t i = m->start[person]; i < m->start[person + 1]; i++) {
		const struct load_target *x = &l->targets[m->targets[i]];
		if (x->team != team)
			continue;
		town |= m->targets[i] == t->town_square;
		channels[out.channels_count++] = (struct mm_bulk_in_channel){
			.name = x->name, .admin = person == x->creator && !guest, .guest = guest, .reading = all_read(x) };
	}
	if (!guest && !town && t->town_square != TARGET_NONE && has_line(l, t->town_square))
		channels[out.channels_count++] = (struct mm_bulk_in_channel){
			.name = l->targets[t->town_square].name, .reading = all_read(&l->targets[t->town_square]) };
	return out;
}

/* What the lines of people are made with; the lists serve one person after another. */
struct people_work {
	struct memberships m;
	struct person_texts x;
	bool *member;
	struct mm_bulk_in_team *teams;
	struct mm_bulk_in_channel *channels;
};

static void people_work_release(struct people_work *w)
{
	memberships_release(&w->m);
	texts_release(&w->x);
	free(w->member);
	free(w->teams);
	free(w->channels);
}

static size_t teams_of(const struct load *l, struct people_work *w, uint32_t person)
{
	size_t count = 0, channels = 0;
	for (uint32_t t = 0; t < l->teams_count; t++) {
		if (!w->member[(size_t)t * l->x->people.count + person])
			continue;
		w->teams[count] = in_team(l, &w->m, t, person, w->channels + channels);
		channels += w->teams[count++].channels_count;
	}
	return count;
}

enum ark_rc bulk_put_people(struct load *l, struct bulk_lines *o, struct ark_err *err)
{
	ark_auto(people_work_release) struct people_work w = { .member = team_members_make(l) };
	texts_init(&w.x);
	memberships_make(l, &w.m);
	w.teams = ark_calloc((size_t)l->teams_count + 1, sizeof(*w.teams));
	w.channels = ark_calloc((size_t)l->targets_count + l->teams_count + 1, sizeof(*w.channels));
	enum ark_rc rc = ARK_OK;
	for (int bots = 0; bots < 2; bots++) {
		for (uint32_t i = 0; i < l->x->people.count && rc == ARK_OK; i++) {
			const struct slack_person *p = &l->x->people.list[i];
			if (!rows_account(l, i) || p->merged || (p->kind != PERSON_HUMAN) != bots)
				continue;
			if (bots)
				put_bot(l, p, &w.x, &o->text);
			else
				put_user(l, i, w.teams, teams_of(l, &w, i), &w.x, &o->text);
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
