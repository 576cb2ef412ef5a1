#include "common/notify/address.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/utf8.h"

#include "common/base/banned.h"

#define HOOKS "/hooks/"
#define EXEC "exec:"
#define TOPIC_BYTES 1024
#define MAIL_ADDRESS_BYTES 254 /* Fact  RFC 5321 4.5.3.1.3 */
#define MAIL_TO_MAX 16

static const char HINT[] = "docs/notify.md lists them: https://HOST/hooks/KEY, mqtt://HOST/TOPIC, "
                           "smtp://HOST/?to=ADDRESS, https://MONITOR/KEY, exec:COMMAND";

/* --- small things ------------------------------------------------------------------------------ */

void notify_address_release(struct notify_address *a)
{
	net_url_release(&a->url);
	if (a->shown.data != NULL) {
		ark_buf_release(&a->shown);
		ark_buf_release(&a->topic);
		ark_buf_release(&a->from);
	}
	for (size_t i = 0; i < a->to_count; i++)
		free(a->to[i]);
	free(a->to);
	*a = (struct notify_address){ 0 };
}

static void init(struct notify_address *a, const char *text)
{
	*a = (struct notify_address){ .text = text };
	ark_buf_init(&a->shown, LIMIT_NOTIFY_URL);
	ark_buf_init(&a->topic, TOPIC_BYTES);
	ark_buf_init(&a->from, MAIL_ADDRESS_BYTES);
}

static enum ark_rc no(struct ark_err *err, const char *what)
{
	ark_err_set(err, ARK_KIND_USAGE, "--notify: %s", what);
	ark_err_hint(err, "%s", HINT);
	return ARK_FAIL;
}

/* Takes the next `name=value` of a query. */
static bool next_pair(struct ark_str *rest, struct ark_str *name, struct ark_str *value)
{
	if (rest->len == 0)
		return false;
	size_t end = ark_str_find(*rest, '&', 0);
	struct ark_str pair = ark_str_first(*rest, end);
	size_t equals = ark_str_find(pair, '=', 0);
	*rest = end == SIZE_MAX ? ARK_STR_NONE : ark_str_from(*rest, end + 1);
	*name = ark_str_first(pair, equals);
	*value = equals == SIZE_MAX ? ARK_LIT("") : ark_str_from(pair, equals + 1);
	return true;
}

/* --- mail -------------------------------------------------------------------------------------- */

/*
 * What can stand in a mail's header and between the angle brackets of SMTP without meaning anything
 * else there: printable ASCII without blanks, brackets, quotes and list marks, one @ inside.
 */
static bool mail_address(struct ark_str s)
{
	size_t at = ark_str_find(s, '@', 0);
	if (at == SIZE_MAX || at == 0 || at + 1 == s.len || ark_str_find(s, '@', at + 1) != SIZE_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || strchr("<>()[],;:\\\"", s.ptr[i]) != NULL)
			return false;
	}
	return true;
}

static enum ark_rc read_mail(struct notify_address *a, struct ark_err *err)
{
	struct ark_str rest = ark_str_z(a->url.query), name, value;
	while (next_pair(&rest, &name, &value)) {
		ark_auto(ark_buf_release) struct ark_buf text;
		ark_buf_init(&text, MAIL_ADDRESS_BYTES);
		bool fine = net_url_decode(value, &text) && mail_address(ark_buf_view(&text));
		bool to = ark_str_eqz(name, "to"), from = ark_str_eqz(name, "from");
		if (!to && !from)
			return no(err, "behind the ? of smtp://HOST/?... stand to=ADDRESS and from=ADDRESS only");
		if (!fine || (from && a->from.len > 0) || (to && a->to_count == MAIL_TO_MAX))
			return no(err, to ? "what stands behind to= is no mail address, or there are too many"
			                  : "what stands behind from= is no mail address, or there are two");
		if (from) {
			ark_buf_str(&a->from, ark_buf_view(&text));
			continue;
		}
		a->to = ark_realloc(a->to, a->to_count + 2, sizeof(a->to[0]));
		a->to[a->to_count++] = ark_strdup(ark_buf_view(&text));
		a->to[a->to_count] = NULL;
	}
	if (a->to_count == 0)
		return no(err, "a mail server's address says to whom: smtp://HOST/?to=ADDRESS");
	if (a->url.path[1] != '\0')
		return no(err, "a mail server's address has no path: smtp://HOST/?to=ADDRESS");
	if (a->from.len == 0)
		ark_buf_z(&a->from, a->to[0]);
	return ARK_OK;
}

/* --- MQTT -------------------------------------------------------------------------------------- */

/* Fact  MQTT 3.1.1: 4.7.1 (wildcards only in subscriptions), 1.5.3 (UTF-8 without NUL) */
static bool topic(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '+' || s.ptr[i] == '#' || (unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return false;
	}
	return s.len > 0 && ark_utf8_valid(s);
}

static enum ark_rc read_mqtt(struct notify_address *a, struct ark_err *err)
{
	struct ark_str rest = ark_str_z(a->url.query), name, value;
	if (!net_url_decode(ark_str_z(a->url.path + 1), &a->topic) || !topic(ark_buf_view(&a->topic)))
		return no(err, "an MQTT address names a topic without wildcards: mqtt://HOST/TOPIC");
	while (next_pair(&rest, &name, &value)) {
		if (!ark_str_eqz(name, "retain") || (!ark_str_eqz(value, "1") && !ark_str_eqz(value, "0")))
			return no(err, "behind the ? of mqtt://HOST/TOPIC?... stands retain=1 or retain=0 only");
		a->retain = ark_str_eqz(value, "1");
	}
	if (a->url.password != NULL && (a->url.user == NULL || a->url.user[0] == '\0'))
		return no(err, "MQTT knows no password without a user name");
	return ARK_OK;
}

/* --- all --------------------------------------------------------------------------------------- */

static bool hook(const char *path)
{
	const char *at = strstr(path, HOOKS);
	return at != NULL && at[sizeof(HOOKS) - 1] != '\0';
}

static void show(struct notify_address *a)
{
	net_url_shown(a->text, false, &a->shown);
	if (a->kind == NOTIFY_WEBHOOK)
		ark_buf_z(&a->shown, HOOKS "***");
	else if (a->kind == NOTIFY_PING)
		ark_buf_z(&a->shown, "/***");
}

static enum ark_rc read_url(struct notify_address *a, struct ark_err *err)
{
	const char *scheme = a->url.scheme;
	a->tls = scheme[strlen(scheme) - 1] == 's';
	if (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0)
		a->kind = hook(a->url.path) ? NOTIFY_WEBHOOK : NOTIFY_PING;
	else if (strcmp(scheme, "mqtt") == 0 || strcmp(scheme, "mqtts") == 0)
		a->kind = NOTIFY_MQTT;
	else if (strcmp(scheme, "smtp") == 0 || strcmp(scheme, "smtps") == 0)
		a->kind = NOTIFY_MAIL;
	else
		return no(err, "an address of no known kind");
	show(a);
	if (strchr(a->text, '#') != NULL)
		return no(err, "an address with a # in it; write %23 for the character itself");
	return a->kind == NOTIFY_MQTT ? read_mqtt(a, err) : a->kind == NOTIFY_MAIL ? read_mail(a, err) : ARK_OK;
}

enum ark_rc notify_address_parse(const char *text, struct notify_address *out, struct ark_err *err)
{
	ark_auto(notify_address_release) struct notify_address a = { 0 };
	struct ark_str s = ark_str_z(text);
	init(&a, text);
	if (s.len > LIMIT_NOTIFY_URL)
		return no(err, "an address that is too long");
	if (ark_str_starts(s, ARK_LIT(EXEC))) {
		a.kind = NOTIFY_EXEC;
		a.text = text + sizeof(EXEC) - 1;
		ark_buf_z(&a.shown, EXEC "***");
		if (ark_str_trim(ark_str_from(s, sizeof(EXEC) - 1)).len == 0)
			return no(err, "exec: without a command");
	} else if (ark_str_search(s, ARK_LIT("://"), 0) == SIZE_MAX || !net_url_split(text, &a.url)) {
		return no(err, "an address that cannot be read");
	} else {
		enum ark_rc rc = read_url(&a, err);
		if (rc < 0)
			return rc;
	}
	*out = a;
	a = (struct notify_address){ 0 };
	return ARK_OK;
}

void notify_address_ping(const struct notify_address *a, const char *suffix, struct ark_buf *out)
{
	struct ark_str s = ark_str_z(a->text);
	size_t query = ark_str_find(s, '?', 0);
	struct ark_str path = ark_str_first(s, query);
	while (suffix[0] != '\0' && path.len > 0 && path.ptr[path.len - 1] == '/')
		path.len--;
	ark_buf_str(out, path);
	ark_buf_z(out, suffix);
	if (query != SIZE_MAX)
		ark_buf_str(out, ark_str_from(s, query));
}
