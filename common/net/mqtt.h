/*
 * One message to an MQTT 3.1.1 broker, for who tells how a run ended. Not a client that stays or
 * subscribes.
 */
#ifndef ARK_NET_MQTT_H
#define ARK_NET_MQTT_H

#include <stdbool.h>

#include "common/net/http.h"

struct net_mqtt {
	bool tls;
	const char *host; /* IPv6 in brackets */
	int port;         /* 0: 1883, with TLS 8883 */
	const char *user, *password; /* NULL for none */
	const char *topic;
	struct ark_str payload;
	bool retain; /* the broker gives it to those who come later, too */
};

/*
 * Connect, publish with quality of service 1, wait until the broker has it, disconnect. Within
 * opt->total_ms (0: 15 s); opt->interrupted is not asked. FAIL with kind IO (unreachable, lost, time
 * over), REFUSED (the broker does not want us), LIMIT.
 */
enum ark_rc net_mqtt_publish(const struct net_options *opt, const struct net_mqtt *message,
                             struct ark_err *err);

#endif
