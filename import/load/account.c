#include "import/load/account.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "import/load/unique.h"
#include "import/translate/id.h"
#include "import/translate/names.h"

#include "common/base/banned.h"

/* Addresses without an owner: a domain that can never exist (RFC 2606). */
#define NO_DOMAIN "slack.invalid"

static struct slack_person *person_at(struct load *l, uint32_t person)
{
	return &l->x->people.list[person];
}

static void lower(struct ark_buf *out, struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		ark_buf_c(out, s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? (char)(s.ptr[i] + 32) : s.ptr[i]);
}

/* One plain address: something, one @, something with no blank or control byte. */
static bool is_email(struct ark_str s)
{
	size_t at = ark_str_find(s, '@', 0);
	if (at == SIZE_MAX || at == 0 || at + 1 == s.len || s.len > MM_EMAIL_BYTES)
		return false;
	if (ark_str_find(s, '@', at + 1) != SIZE_MAX || s.ptr[at - 1] == '.' || s.ptr[0] == '.')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] <= 0x20 || strchr("<>()[],;:\\\"", s.ptr[i]) != NULL)
			return false;
	return true;
}

void accounts_known(struct load *l, const struct account_row *row)
{
	/* what an earlier run made was noted with its person already */
	if (ark_map_get(&l->usernames, row->username) == ARK_MAP_NONE)
		ark_map_put(&l->usernames, row->username, PERSON_NONE - 1);
	if (row->email.len > 0 && ark_map_get(&l->emails, row->email) == ARK_MAP_NONE)
		ark_map_put(&l->emails, row->email, PERSON_NONE - 1);
	/* a person with this address is this account, if it may be matched: bots never, deactivated and
	 * administrators' accounts only when the caller names them */
	bool admin = ark_str_search(row->roles, ARK_LIT("system_admin"), 0) != SIZE_MAX;
	uint32_t person = row->email.len > 0 ? ark_map_get(&l->people_mail, row->email) : PERSON_NONE;
	if (person == PERSON_NONE || !row->active || admin || row->id.len != MM_ID_LEN)
		return;
	struct slack_person *p = person_at(l, person);
	if (p->mm_id[0] != '\0')
		return;
	memcpy(p->mm_id, row->id.ptr, MM_ID_LEN);
	p->username = ark_pool_str(&l->strings, row->username);
	p->username_final = p->matched = p->active = true;
	ark_map_put(&l->usernames, row->username, person);
	ark_map_put(&l->emails, row->email, person);
}

void accounts_index(struct load *l)
{
	ark_auto(ark_buf_release) struct ark_buf mail;
	ark_buf_init(&mail, 1u << 20);
	for (uint32_t i = 0; i < l->x->people.count; i++) {
		const struct slack_person *p = person_at(l, i);
		if (p->kind != PERSON_HUMAN || p->deleted || !ark_str_has(p->email))
			continue;
		ark_buf_reset(&mail);
		lower(&mail, ark_str_trim(p->email));
		if (ark_map_get(&l->people_mail, ark_buf_view(&mail)) == ARK_MAP_NONE)
			ark_map_put(&l->people_mail, ark_buf_view(&mail), i);
	}
}

/* Take `base`, or base-2, base-3 … whichever is free. */
static void take_username(struct load *l, uint32_t person, struct ark_str base)
{
	ark_auto(ark_buf_release) struct ark_buf name;
	ark_buf_init(&name, MM_USERNAME_BYTES * 2);
	unique_name(&l->usernames, &l->user_numbers, person, base, &name);
	ark_map_put(&l->usernames, ark_buf_view(&name), person);
	person_at(l, person)->username = ark_pool_str(&l->strings, ark_buf_view(&name));
}

/* Has this person a name of their own yet? */
static bool has_name(const struct slack_person *p)
{
	return ark_str_has(p->name) || ark_str_has(p->display_name) || ark_str_has(p->real_name);
}

static void give_username(struct load *l, uint32_t person)
{
	struct slack_person *p = person_at(l, person);
	struct ark_str from = ark_str_has(p->name)           ? p->name
	                      : ark_str_has(p->display_name) ? p->display_name
	                                                     : p->real_name;
	size_t bar = ark_str_find(p->key, '|', 0);
	struct ark_str id = bar == SIZE_MAX ? p->key : ark_str_first(p->key, bar);
	ark_auto(ark_buf_release) struct ark_buf base;
	ark_buf_init(&base, MM_USERNAME_BYTES * 2);
	name_user(ark_str_has(from) ? from : ARK_LIT(""), id, &base);
	take_username(l, person, ark_buf_view(&base));
	/* a stranger's name may still come with one of their messages */
	p->username_final = p->listed || p->kind != PERSON_HUMAN || has_name(p);
}

static void assign_one(struct load *l, uint32_t person)
{
	struct slack_person *p = person_at(l, person);
	if (p->mm_id[0] == '\0')
		id_derive(l->hash, l->workspace, "user", p->key, ARK_LIT(""), 0, 0, p->mm_id);
	if (!ark_str_has(p->username))
		give_username(l, person);
	if (p->matched)
		return;
	person_at(l, person)->active = account_active(l, person);
	/* claim the address now, in this order: of two with one address the active one keeps it */
	ark_auto(ark_buf_release) struct ark_buf mail;
	ark_buf_init(&mail, 1u << 20);
	account_email(l, person, &mail);
}

static void on_new(void *ctx, uint32_t person)
{
	assign_one(ctx, person);
}

/* Active people first, then by Slack id. */
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

void accounts_assign(struct load *l)
{
	struct slack_people *people = &l->x->people;
	ark_auto(ark_freep) struct order *order = ark_calloc(people->count + 1, sizeof(*order));
	for (uint32_t i = 0; i < people->count; i++)
		order[i] = (struct order){ i, people->list[i].deleted || !people->list[i].listed,
			                   people->list[i].key };
	qsort(order, people->count, sizeof(*order), by_order);
	uint32_t count = people->count;
	for (uint32_t i = 0; i < count; i++)
		assign_one(l, order[i].person);
	people->on_new = on_new;
	people->on_new_ctx = l;
}

void accounts_settle(struct load *l, void (*changed)(void *ctx, uint32_t person, struct ark_str old),
                     void *ctx)
{
	for (uint32_t i = 0; i < l->x->people.count; i++) {
		struct slack_person *p = person_at(l, i);
		if (p->username_final || !has_name(p))
			continue;
		struct ark_str old = p->username;
		give_username(l, i);
		if (!ark_str_eq(old, person_at(l, i)->username))
			changed(ctx, i, old);
	}
}

bool account_active(const struct load *l, uint32_t person)
{
	const struct slack_person *p = &l->x->people.list[person];
	if (p->kind == PERSON_SLACKBOT)
		return true;
	if (p->deleted)
		return false;
	if (p->kind == PERSON_BOT)
		return true;
	if (!p->listed)
		return false; /* a placeholder for somebody who is not in the workspace */
	return !(p->guest && l->set.guests == GUESTS_GUEST); /* no licence known that allows guests */
}

void account_email(struct load *l, uint32_t person, struct ark_buf *out)
{
	struct slack_person *p = person_at(l, person);
	if (p->kind != PERSON_HUMAN) {
		ark_buf_str(out, p->username);
		ark_buf_z(out, "@localhost");
		return;
	}
	size_t start = out->len;
	lower(out, ark_str_trim(p->email));
	struct ark_str mail = ark_str_from(ark_buf_view(out), start);
	if (is_email(mail)) {
		uint32_t owner = ark_map_get(&l->emails, mail);
		if (owner == ARK_MAP_NONE)
			ark_map_put(&l->emails, mail, person);
		if (owner == ARK_MAP_NONE || owner == person)
			return;
	}
	ark_buf_cut(out, start);
	lower(out, p->key);
	ark_buf_c(out, '@');
	ark_buf_z(out, l->set.email_domain != NULL ? l->set.email_domain : NO_DOMAIN);
}
