/* One mail through a mail server. Not for writing mails: the text is the caller's. */
#ifndef ARK_NET_MAIL_H
#define ARK_NET_MAIL_H

#include <stdbool.h>

#include "common/net/http.h"

struct net_mail {
	bool tls;         /* from the first byte on; else STARTTLS where the server has it */
	const char *host; /* IPv6 in brackets */
	int port;         /* 0: 25, with TLS 465 */
	const char *user, *password; /* NULL for none; never sent without TLS */
	const char *from;            /* addresses without angle brackets */
	const char *const *to;
	size_t to_count;
	struct ark_str text; /* headers and body, lines ended by CR LF */
};

/*
 * Within opt->total_ms (0: 15 s); opt->interrupted is not asked. Certificates are checked, except that
 * a server which needs no password may have any: STARTTLS with an unknown certificate is what mail
 * servers do among each other, and better than none. FAIL with kind IO or REFUSED.
 */
enum ark_rc net_mail_send(const struct net_options *opt, const struct net_mail *mail,
                          struct ark_err *err);

#endif
