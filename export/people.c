/* The accounts: all of them, because a record may name anybody. */
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/db/binary.h"
#include "export/select.h"

#include "common/base/banned.h"

enum { ID, NAME, EMAIL, FIRST, LAST, NICK, POSITION, ROLES, CREATE, UPDATE, DELETE, REMOTE, IS_BOT, OWNER,
       COLUMNS };

/* Fact  docs/mattermost-facts.md "Users": a bot is a user with a row in bots; a remote id marks an account
 *       of a connected server */
static const char PEOPLE_SQL[] =
	"COPY (SELECT u.id, u.username, u.email, u.firstname, u.lastname, u.nickname, u.position, u.roles, "
	"u.createat, u.updateat, u.deleteat, coalesce(u.remoteid, '') <> '', b.userid IS NOT NULL, b.ownerid "
	"FROM users u LEFT JOIN bots b ON b.userid = u.id ORDER BY u.id COLLATE \"C\") "
	"TO STDOUT (FORMAT binary)";

static struct ark_str keep(struct export_selection *sel, struct ark_str field)
{
	return field.len > 0 ? ark_pool_str(&sel->strings, field) : ARK_LIT("");
}

/* Nickname, else first and last name, else the user name: as clients show people by default with full
 * names on. */
static struct ark_str display_name(struct export_selection *sel, const struct export_person *p)
{
	if (p->nickname.len > 0)
		return p->nickname;
	if (p->first_name.len == 0 && p->last_name.len == 0)
		return p->user_name;
	if (p->first_name.len == 0 || p->last_name.len == 0)
		return p->first_name.len > 0 ? p->first_name : p->last_name;
	ark_auto(ark_buf_release) struct ark_buf both;
	ark_buf_init(&both, SIZE_MAX / 2);
	ark_buf_str(&both, p->first_name);
	ark_buf_c(&both, ' ');
	ark_buf_str(&both, p->last_name);
	return ark_pool_str(&sel->strings, ark_buf_view(&both));
}

static void add_person(struct export_selection *sel, const struct ark_str *f, size_t *cap)
{
	if (sel->people_count == *cap) {
		*cap = *cap > 0 ? *cap * 2 : 256;
		sel->people = ark_realloc(sel->people, *cap, sizeof(sel->people[0]));
	}
	struct export_person *p = &sel->people[sel->people_count++];
	*p = (struct export_person){
		.id = keep(sel, f[ID]),
		.user_name = keep(sel, f[NAME]),
		.email = keep(sel, f[EMAIL]),
		.first_name = keep(sel, f[FIRST]),
		.last_name = keep(sel, f[LAST]),
		.nickname = keep(sel, f[NICK]),
		.position = keep(sel, f[POSITION]),
		.roles = keep(sel, f[ROLES]),
		.bot_owner_id = keep(sel, f[OWNER]),
		.create_ms = db_binary_i64(f[CREATE]),
		.update_ms = db_binary_i64(f[UPDATE]),
		.delete_ms = db_binary_i64(f[DELETE]),
		.is_bot = db_binary_bool(f[IS_BOT]),
		.is_remote = db_binary_bool(f[REMOTE]),
	};
	p->display_name = display_name(sel, p);
}

enum ark_rc export_select_people(struct db_conn *conn, struct export_selection *sel, struct ark_err *err)
{
	struct db_binary rows = { 0 };
	struct ark_str f[COLUMNS];
	size_t cap = 0;
	enum ark_rc rc = db_copy_out_begin(conn, PEOPLE_SQL, err);
	while (rc == ARK_OK && (rc = db_binary_next(&rows, conn, f, COLUMNS, err)) == ARK_OK)
		add_person(sel, f, &cap);
	for (size_t i = 0; i < sel->people_count; i++)
		ark_map_put(&sel->person_at, sel->people[i].id, (uint32_t)i);
	return rc < 0 ? ark_err_in(err, rc, "reading the accounts") : ARK_OK;
}
