#include "import/load/account.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "import/load/unique.h"
#include "import/translate/id.h"
#include "import/translate/names.h"

#include "common/base/banned.h"

/* Addresses without an owner: a domain that can never exist (RFC 2606). */
#define NO_DOMAIN "slack.invalid"

static struct slack_person *person_at(const struct load *l, uint32_t person)
{
	return &l->x->people.list[person];
}

void account_lower(struct ark_buf *out, struct ark_str s)
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
	const struct mapfile_row *wish = p->kind == PERSON_HUMAN ? account_wish(l, p->key) : NULL;
	struct ark_str from = wish != NULL               ? wish->value
	                      : ark_str_has(p->name)         ? p->name
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

/* True for people who get a new account that can be used. */
static bool account_active(const struct load *l, uint32_t person)
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

static void assign_one(struct load *l, uint32_t person)
{
	struct slack_person *p = person_at(l, person);
	if (p->merged)
		return;
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

void accounts_assign(struct load *l)
{
	struct slack_people *people = &l->x->people;
	ark_auto(ark_freep) uint32_t *order = accounts_order(l);
	accounts_merge(l, order);
	uint32_t count = people->count;
	for (uint32_t i = 0; i < count; i++)
		assign_one(l, order[i]);
	for (uint32_t i = 0; i < count; i++)
		accounts_follow(l, i);
	people->on_new = on_new;
	people->on_new_ctx = l;
}

void accounts_settle(struct load *l, void (*changed)(void *ctx, uint32_t person, struct ark_str old),
                     void *ctx)
{
	for (uint32_t i = 0; i < l->x->people.count; i++) {
		struct slack_person *p = person_at(l, i);
		if (p->merged || p->username_final || !has_name(p))
			continue;
		struct ark_str old = p->username;
		give_username(l, i);
		if (!ark_str_eq(old, person_at(l, i)->username))
			changed(ctx, i, old);
	}
}

/* Is the address theirs, now at the latest? */
static bool take_email(struct load *l, uint32_t person, struct ark_str mail)
{
	uint32_t owner = ark_map_get(&l->emails, mail);
	if (owner == ARK_MAP_NONE)
		ark_map_put(&l->emails, mail, person);
	return owner == ARK_MAP_NONE || owner == person;
}

/* name@domain, or name-2@domain, name-3@domain ... whichever is free: accounts of before may be called
 * otherwise by now and have the address still. */
static void make_email(struct load *l, uint32_t person, struct ark_str name, const char *domain,
                       struct ark_buf *out)
{
	size_t start = out->len;
	unsigned n = 1;
	do {
		ark_buf_cut(out, start);
		account_lower(out, name);
		if (n > 1)
			ark_buf_fmt(out, "-%u", n);
		ark_buf_c(out, '@');
		ark_buf_z(out, domain);
		n++;
	} while (!take_email(l, person, ark_str_from(ark_buf_view(out), start)));
}

void account_email(struct load *l, uint32_t person, struct ark_buf *out)
{
	struct slack_person *p = person_at(l, person);
	if (p->kind != PERSON_HUMAN) {
		make_email(l, person, p->username, "localhost", out);
		return;
	}
	size_t start = out->len;
	account_lower(out, ark_str_trim(p->email));
	struct ark_str mail = ark_str_from(ark_buf_view(out), start);
	if (is_email(mail) && take_email(l, person, mail))
		return;
	ark_buf_cut(out, start);
	make_email(l, person, p->key, l->set.email_domain != NULL ? l->set.email_domain : NO_DOMAIN, out);
}

/* What the identity provider knows the person by. */
static struct ark_str auth_value(struct load *l, uint32_t person, struct ark_buf *tmp)
{
	const struct slack_person *p = person_at(l, person);
	switch (l->set.auth_data) {
	case AUTH_BY_ID: return p->key;
	case AUTH_BY_USERNAME: return p->username;
	case AUTH_BY_EMAIL: break;
	}
	account_lower(tmp, ark_str_trim(p->email));
	struct ark_str mail = ark_buf_view(tmp);
	return is_email(mail) && ark_map_get(&l->emails, mail) == person ? mail : ARK_STR_NONE;
}

const char *account_auth(struct load *l, uint32_t person, struct ark_buf *data)
{
	static const char *const SERVICES[] = { [AUTH_LDAP] = "ldap", [AUTH_SAML] = "saml" };
	const struct slack_person *p = person_at(l, person);
	if (l->set.auth == AUTH_NONE || p->kind != PERSON_HUMAN || !p->listed)
		return NULL;
	ark_auto(ark_buf_release) struct ark_buf tmp;
	ark_buf_init(&tmp, 1u << 20);
	struct ark_str value = auth_value(l, person, &tmp);
	if (!ark_str_has(value) || value.len > MM_EMAIL_BYTES)
		return NULL;
	uint32_t owner = ark_map_get(&l->auths, value);
	if (owner != ARK_MAP_NONE && owner != person)
		return NULL;
	ark_map_put(&l->auths, value, person);
	ark_buf_str(data, value);
	return SERVICES[l->set.auth];
}
