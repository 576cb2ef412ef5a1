/*
 * What the address of a --notify means. Opens nothing. Documented in docs/notify.md.
 */
#ifndef ARK_NOTIFY_ADDRESS_H
#define ARK_NOTIFY_ADDRESS_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/net/http.h"

enum notify_kind {
	NOTIFY_WEBHOOK, /* http(s) with /hooks/ in its path: Mattermost's incoming webhook */
	NOTIFY_PING,    /* any other http(s): a monitor that is called */
	NOTIFY_MQTT,
	NOTIFY_MAIL,
	NOTIFY_EXEC,
};

struct notify_address {
	enum notify_kind kind;
	const char *text;      /* as given, borrowed; for EXEC the command alone */
	struct net_url url;    /* all but EXEC */
	bool tls;              /* mqtts, smtps */
	struct ark_buf shown;  /* fit for people: no path that is a key, no user, no password, no command */
	struct ark_buf topic;  /* MQTT */
	bool retain;           /* MQTT */
	struct ark_buf from;   /* MAIL */
	char **to;             /* MAIL, NULL-ended */
	size_t to_count;
};

/* FAIL with kind USAGE; its text holds nothing of `text` but its scheme. Release after ARK_OK only. */
enum ark_rc notify_address_parse(const char *text, struct notify_address *out, struct ark_err *err);
void notify_address_release(struct notify_address *a); /* also for ark_auto; { 0 } is fine */

/* PING: the address with `suffix` ("/start", "") behind its path, before a query. */
void notify_address_ping(const struct notify_address *a, const char *suffix, struct ark_buf *out);

#endif
