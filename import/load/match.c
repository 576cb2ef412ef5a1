/* Which account of before is whose, and which of Slack's people are one person: see account.h. */
#include "import/load/account.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"

#include "common/base/banned.h"

/* A name or address that is taken by nobody of the archive. */
#define SOMEBODY_ELSE (PERSON_NONE - 1)

static struct slack_person *person_at(const struct load *l, uint32_t person)
{
	return &l->x->people.list[person];
}

struct mapfile_row *account_wish(const struct load *l, struct ark_str key)
{
	return l->set.users != NULL ? mapfile_find(l->set.users, key) : NULL;
}

static void warn(const struct load *l, const char *msgid, const char *text)
{
	if (l->report.on_warn != NULL)
		l->report.on_warn(l->report.on_warn_ctx, msgid, text);
}

/* ---- before the accounts are read ---- */

static void index_mail(struct load *l, uint32_t person, struct ark_buf *mail)
{
	ark_buf_reset(mail);
	account_lower(mail, ark_str_trim(person_at(l, person)->email));
	if (ark_map_get(&l->people_mail, ark_buf_view(mail)) == ARK_MAP_NONE)
		ark_map_put(&l->people_mail, ark_buf_view(mail), person);
}

void accounts_index(struct load *l)
{
	ark_auto(ark_buf_release) struct ark_buf mail;
	ark_buf_init(&mail, 1u << 20);
	for (uint32_t i = 0; i < l->x->people.count; i++) {
		const struct slack_person *p = person_at(l, i);
		if (p->kind == PERSON_HUMAN && !p->deleted && ark_str_has(p->email))
			index_mail(l, i, &mail);
	}
	for (uint32_t i = 0; l->set.users != NULL && i < l->set.users->count; i++)
		if (ark_map_get(&l->wished, l->set.users->rows[i].value) == ARK_MAP_NONE)
			ark_map_put(&l->wished, l->set.users->rows[i].value, i);
}

/* ---- an account that is there ---- */

static void give(struct load *l, uint32_t person, const struct account_row *row)
{
	struct slack_person *p = person_at(l, person);
	memcpy(p->mm_id, row->id.ptr, MM_ID_LEN);
	p->username = ark_pool_str(&l->strings, row->username);
	p->username_final = p->matched = true;
	p->active = row->active;
	ark_map_put(&l->usernames, row->username, person);
	if (row->email.len > 0)
		ark_map_put(&l->emails, row->email, person);
}

/* The map says what an earlier run did otherwise: what is written has its author already. */
static void warn_other(const struct load *l, const struct slack_person *p, const struct account_row *row)
{
	char text[512];
	snprintf(text, sizeof(text), "--users: '%.*s' was imported as '%.*s' before and stays so, not '%.*s'",
	         ARK_FMT(p->key), ARK_FMT(p->username), ARK_FMT(row->username));
	warn(l, "import.users_known", text);
}

/* All whom the map gives this account. */
static bool give_wished(struct load *l, const struct account_row *row)
{
	bool any = false;
	const struct mapfile *map = l->set.users;
	for (uint32_t i = ark_map_get(&l->wished, row->username); i < map->count; i++) {
		if (!ark_str_eq(map->rows[i].value, row->username))
			continue;
		uint32_t person = ark_map_get(&l->x->people.by_key, map->rows[i].key);
		if (person == ARK_MAP_NONE || person_at(l, person)->kind != PERSON_HUMAN)
			continue;
		const struct slack_person *p = person_at(l, person);
		bool same = memcmp(p->mm_id, row->id.ptr, MM_ID_LEN) == 0;
		if (p->mm_id[0] != '\0' && p->by_email && !same) /* met by its address a moment ago */
			ark_map_put(&l->usernames, p->username, SOMEBODY_ELSE);
		else if (p->mm_id[0] != '\0' && !same)
			warn_other(l, p, row);
		if (p->mm_id[0] == '\0' || p->by_email) {
			give(l, person, row);
			person_at(l, person)->by_email = false;
		}
		any = true;
	}
	return any;
}

void accounts_known(struct load *l, const struct account_row *row)
{
	/* what an earlier run made was noted with its person already */
	uint32_t owner = ark_map_get(&l->usernames, row->username);
	if (owner == ARK_MAP_NONE)
		ark_map_put(&l->usernames, row->username, SOMEBODY_ELSE);
	if (row->email.len > 0 && ark_map_get(&l->emails, row->email) == ARK_MAP_NONE)
		ark_map_put(&l->emails, row->email, SOMEBODY_ELSE);
	if (row->authdata.len > 0 && ark_map_get(&l->auths, row->authdata) == ARK_MAP_NONE)
		ark_map_put(&l->auths, row->authdata, SOMEBODY_ELSE);
	if (row->bot || row->id.len != MM_ID_LEN)
		return; /* bots never match */
	bool wished = l->set.users != NULL && ark_map_get(&l->wished, row->username) != ARK_MAP_NONE &&
	              give_wished(l, row);
	/* deactivated and administrators' accounts only when the caller names them */
	bool admin = ark_str_search(row->roles, ARK_LIT("system_admin"), 0) != SIZE_MAX;
	uint32_t person = row->email.len > 0 ? ark_map_get(&l->people_mail, row->email) : PERSON_NONE;
	if (wished || person == PERSON_NONE || !row->active || admin || person_at(l, person)->mm_id[0] != '\0')
		return;
	give(l, person, row);
	person_at(l, person)->by_email = true;
}

/* ---- who is one person ---- */

struct order {
	uint32_t person;
	bool deleted;
	struct ark_str key;
};

static int by_order(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	if (x->deleted != y->deleted)
		return x->deleted ? 1 : -1;
	return ark_str_cmp(x->key, y->key);
}

uint32_t *accounts_order(const struct load *l)
{
	const struct slack_people *people = &l->x->people;
	ark_auto(ark_freep) struct order *order = ark_calloc(people->count + (size_t)1, sizeof(*order));
	for (uint32_t i = 0; i < people->count; i++)
		order[i] = (struct order){ i, people->list[i].deleted || !people->list[i].listed,
			                   people->list[i].key };
	qsort(order, people->count, sizeof(*order), by_order);
	uint32_t *out = ark_calloc(people->count + (size_t)1, sizeof(*out));
	for (uint32_t i = 0; i < people->count; i++)
		out[i] = order[i].person;
	return out;
}

/* Among those with one `key`: who has an account leads, else the first. Those of two accounts stay. */
static void merge_by(struct load *l, struct ark_map *seen, struct ark_str key, uint32_t person)
{
	uint32_t leader = ark_map_get(seen, key);
	if (leader == ARK_MAP_NONE) {
		ark_map_put(seen, key, person);
		return;
	}
	struct slack_person *p = person_at(l, person), *first = person_at(l, leader);
	bool has = p->mm_id[0] != '\0', first_has = first->mm_id[0] != '\0';
	if (has && first_has && memcmp(p->mm_id, first->mm_id, MM_ID_LEN) != 0)
		return;
	p->deleted = first->deleted = p->deleted && first->deleted;
	if (has && !first_has) {
		slack_people_merge(&l->x->people, leader, person);
		ark_map_put(seen, key, person);
	} else {
		slack_people_merge(&l->x->people, person, leader);
	}
}

static void merge_all(struct load *l, const uint32_t *order,
                      bool (*key)(struct load *l, uint32_t person, struct ark_buf *out))
{
	ark_auto(ark_map_release) struct ark_map seen = { 0 };
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 1u << 20);
	for (uint32_t i = 0; i < l->x->people.count; i++) {
		ark_buf_reset(&text);
		if (!person_at(l, order[i])->merged && key(l, order[i], &text))
			merge_by(l, &seen, ark_buf_view(&text), order[i]);
	}
}

static bool key_account(struct load *l, uint32_t person, struct ark_buf *out)
{
	ark_buf_z(out, person_at(l, person)->mm_id);
	return out->len > 0;
}

/* Two of whom the map says one name that is no account yet. */
static bool key_wish(struct load *l, uint32_t person, struct ark_buf *out)
{
	const struct slack_person *p = person_at(l, person);
	const struct mapfile_row *wish = p->kind == PERSON_HUMAN ? account_wish(l, p->key) : NULL;
	if (wish == NULL || p->matched)
		return false;
	ark_buf_str(out, wish->value);
	return true;
}

static bool key_mail(struct load *l, uint32_t person, struct ark_buf *out)
{
	const struct slack_person *p = person_at(l, person);
	if (p->kind != PERSON_HUMAN || !p->listed || !ark_str_has(p->email))
		return false;
	account_lower(out, ark_str_trim(p->email));
	return out->len > 0;
}

/* Rows of the map that decide nothing. */
static void look_at_map(const struct load *l)
{
	uint64_t strangers = 0, bots = 0;
	char text[256];
	for (uint32_t i = 0; l->set.users != NULL && i < l->set.users->count; i++) {
		uint32_t person = ark_map_get(&l->x->people.by_key, l->set.users->rows[i].key);
		strangers += person == ARK_MAP_NONE;
		bots += person != ARK_MAP_NONE && person_at(l, person)->kind != PERSON_HUMAN &&
		        !ark_str_eq(person_at(l, person)->username, l->set.users->rows[i].value);
	}
	if (strangers > 0) {
		snprintf(text, sizeof(text), "--users: %llu lines name nobody in the lists of the archive",
		         (unsigned long long)strangers);
		if (l->report.on_note != NULL)
			l->report.on_note(l->report.on_warn_ctx, "import.users_unknown", text);
	}
	if (bots > 0) {
		snprintf(text, sizeof(text), "--users: %llu lines name a bot: bots get accounts of their own",
		         (unsigned long long)bots);
		if (l->report.on_note != NULL)
			l->report.on_note(l->report.on_warn_ctx, "import.users_bots", text);
	}
}

void accounts_merge(struct load *l, const uint32_t *order)
{
	look_at_map(l);
	merge_all(l, order, key_account);
	if (l->set.users != NULL)
		merge_all(l, order, key_wish);
	if (l->set.merge_by_email)
		merge_all(l, order, key_mail);
}

void accounts_follow(struct load *l, uint32_t person)
{
	struct slack_person *p = person_at(l, person);
	if (!p->merged)
		return;
	while (person_at(l, p->leader)->merged) /* merged by one rule, its leader by the next */
		p->leader = person_at(l, p->leader)->leader;
	slack_people_merge(&l->x->people, person, p->leader);
	const struct slack_person *leader = person_at(l, p->leader);
	memcpy(p->mm_id, leader->mm_id, sizeof(p->mm_id));
	p->username = leader->username;
	p->username_final = leader->username_final;
	p->matched = leader->matched;
	p->ours = leader->ours;
	p->active = leader->active;
}

/* ---- administrators ---- */

static uint32_t person_named(const struct load *l, struct ark_str name)
{
	uint32_t person = slack_people_find(&l->x->people, name);
	for (uint32_t i = 0; person == PERSON_NONE && i < l->x->people.count; i++) {
		const struct slack_person *p = person_at(l, i);
		if (p->kind == PERSON_HUMAN && p->listed && !p->merged && ark_str_eq(p->username, name))
			person = i;
	}
	for (uint32_t i = 0; person == PERSON_NONE && i < l->x->people.count; i++) {
		const struct slack_person *p = person_at(l, i);
		if (p->kind == PERSON_HUMAN && p->listed && !p->deleted &&
		    (ark_str_eq(p->name, name) || ark_str_eq(p->email, name)))
			person = slack_people_leader(&l->x->people, i);
	}
	return person;
}

static enum ark_rc make_admin(struct load *l, const char *name, struct ark_err *err)
{
	uint32_t person = person_named(l, ark_str_z(name));
	if (person == PERSON_NONE)
		return ark_err_set(err, ARK_KIND_REFUSED, "--admin: there is no '%s' among the people of the archive",
		                   name);
	struct slack_person *p = person_at(l, person);
	if (p->ours) /* an earlier run made the account: as it became since, it stays */
		return ARK_OK;
	if (p->matched) {
		ark_err_set(err, ARK_KIND_REFUSED, "--admin: '%s' has an account already, '%.*s', and accounts of "
		            "before are never changed", name, ARK_FMT(p->username));
		ark_err_hint(err, "mmctl --local roles system-admin %.*s", ARK_FMT(p->username));
		return ARK_FAIL;
	}
	if (p->kind != PERSON_HUMAN || p->guest || !p->active)
		return ark_err_set(err, ARK_KIND_REFUSED, "--admin: '%s' is %s", name,
		                   p->kind != PERSON_HUMAN ? "a bot" : p->guest ? "a guest" : "deactivated");
	p->admin_here = true;
	return ARK_OK;
}

enum ark_rc accounts_admins(struct load *l, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t i = 0; i < l->set.admins_count && rc == ARK_OK; i++)
		rc = make_admin(l, l->set.admins[i], err);
	return rc;
}
