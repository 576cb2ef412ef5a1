/*
 * Why not libcurl's own MQTT: until version 8.19 it has no TLS, and it publishes with quality of
 * service 0, where nobody learns that the broker threw the message away. libcurl gives connection,
 * TLS and time limits here; the five packets are ours.
 *
 * Fact  OASIS MQTT 3.1.1: 2.2.3 (lengths), 3.1 CONNECT, 3.2 CONNACK, 3.3 PUBLISH, 3.4 PUBACK, 3.14
 *       DISCONNECT
 */
#include "common/net/mqtt.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "common/base/limits.h"
#include "common/base/time.h"
#include "common/net/private.h"

#include "common/base/banned.h"

#define TOTAL_MS 15000
#define STRING_BYTES 65535
#define KEEP_ALIVE_S 60
#define PACKET_ID 1

enum { CONNECT = 0x10, CONNACK = 0x20, PUBLISH = 0x30, PUBACK = 0x40, DISCONNECT = 0xe0 };
enum { QOS_1 = 0x02, RETAIN = 0x01 };
enum { CLEAN_SESSION = 0x02, HAS_PASSWORD = 0x40, HAS_USER = 0x80 };

struct line {
	CURL *easy;
	const char *shown;
	int64_t end; /* on ark_time_tick_ms */
};

static void easyp(CURL **easy)
{
	curl_easy_cleanup(*easy);
}

/* --- packets ----------------------------------------------------------------------------------- */

static void put_u16(struct ark_buf *b, size_t n)
{
	ark_buf_c(b, (char)(n >> 8));
	ark_buf_c(b, (char)(n & 0xff));
}

static void put_string(struct ark_buf *b, struct ark_str s)
{
	put_u16(b, s.len);
	ark_buf_str(b, s);
}

static void put_packet(struct ark_buf *out, int head, struct ark_str rest)
{
	size_t len = rest.len;
	ark_buf_c(out, (char)head);
	do {
		ark_buf_c(out, (char)((len & 0x7f) | (len > 0x7f ? 0x80 : 0)));
		len >>= 7;
	} while (len > 0);
	ark_buf_str(out, rest);
}

static void put_connect(struct ark_buf *out, const struct net_mqtt *m)
{
	ark_auto(ark_buf_release) struct ark_buf rest, id;
	ark_buf_init(&rest, LIMIT_NOTICE);
	ark_buf_init(&id, 32);
	int flags = CLEAN_SESSION;
	flags |= m->user != NULL ? HAS_USER : 0;
	flags |= m->user != NULL && m->password != NULL ? HAS_PASSWORD : 0;
	ark_buf_fmt(&id, "matterark%012llx", (unsigned long long)(net_seed() & 0xffffffffffff));
	put_string(&rest, ARK_LIT("MQTT"));
	ark_buf_c(&rest, 4); /* 3.1.1 */
	ark_buf_c(&rest, (char)flags);
	put_u16(&rest, KEEP_ALIVE_S);
	put_string(&rest, ark_buf_view(&id));
	if ((flags & HAS_USER) != 0)
		put_string(&rest, ark_str_z(m->user));
	if ((flags & HAS_PASSWORD) != 0)
		put_string(&rest, ark_str_z(m->password));
	put_packet(out, CONNECT, ark_buf_view(&rest));
}

static void put_publish(struct ark_buf *out, const struct net_mqtt *m)
{
	ark_auto(ark_buf_release) struct ark_buf rest;
	ark_buf_init(&rest, LIMIT_NOTICE);
	put_string(&rest, ark_str_z(m->topic));
	put_u16(&rest, PACKET_ID);
	ark_buf_str(&rest, m->payload);
	out->failed = out->failed || rest.failed;
	put_packet(out, PUBLISH | QOS_1 | (m->retain ? RETAIN : 0), ark_buf_view(&rest));
}

/* --- the connection ---------------------------------------------------------------------------- */

static enum ark_rc lost(const struct line *l, const char *cause, struct ark_err *err)
{
	return ark_err_set(err, ARK_KIND_IO, "the connection failed with '%s': %s", l->shown, cause);
}

static enum ark_rc wait_for(const struct line *l, short events, struct ark_err *err)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	curl_easy_getinfo(l->easy, CURLINFO_ACTIVESOCKET, &fd);
	int64_t rest = l->end - ark_time_tick_ms();
	if (fd == CURL_SOCKET_BAD)
		return lost(l, "it was closed", err);
	struct pollfd p = { .fd = fd, .events = events };
	int n = rest > 0 ? poll(&p, 1, (int)rest) : 0;
	if (n == 0)
		return lost(l, "no answer in time", err);
	return n > 0 || errno == EINTR ? ARK_OK : lost(l, strerror(errno), err);
}

static enum ark_rc say(const struct line *l, const struct ark_buf *packet, struct ark_err *err)
{
	enum ark_rc rc = ark_buf_ok(packet, "the message", err);
	for (size_t at = 0; rc == ARK_OK && at < packet->len;) {
		size_t n = 0;
		CURLcode code = curl_easy_send(l->easy, packet->data + at, packet->len - at, &n);
		if (code == CURLE_AGAIN)
			rc = wait_for(l, POLLOUT, err);
		else if (code != CURLE_OK)
			return lost(l, curl_easy_strerror(code), err);
		at += n;
	}
	return rc;
}

static enum ark_rc hear(const struct line *l, char *to, size_t len, struct ark_err *err)
{
	enum ark_rc rc = ARK_OK;
	for (size_t at = 0; rc == ARK_OK && at < len;) {
		size_t n = 0;
		CURLcode code = curl_easy_recv(l->easy, to + at, len - at, &n);
		if (code == CURLE_AGAIN)
			rc = wait_for(l, POLLIN, err);
		else if (code != CURLE_OK || n == 0)
			return lost(l, code != CURLE_OK ? curl_easy_strerror(code) : "the broker closed it", err);
		at += n;
	}
	return rc;
}

/* Both answers that can come are four bytes long. */
static enum ark_rc hear_answer(const struct line *l, int head, unsigned char answer[4], struct ark_err *err)
{
	char bytes[4];
	enum ark_rc rc = hear(l, bytes, sizeof(bytes), err);
	if (rc < 0)
		return rc;
	memcpy(answer, bytes, sizeof(bytes));
	if (answer[0] != head || answer[1] != 2)
		return lost(l, "what answers is no MQTT 3.1.1 broker", err);
	return ARK_OK;
}

/* Fact  MQTT 3.1.1, table 3.1 */
static enum ark_rc admitted(const struct line *l, int code, struct ark_err *err)
{
	static const char *const WHY[] = {
		[1] = "it does not speak MQTT 3.1.1",
		[2] = "it does not like our client identifier",
		[3] = "it is not available",
		[4] = "it does not accept user name and password",
		[5] = "this user may not connect",
	};
	if (code == 0)
		return ARK_OK;
	return ark_err_set(err, ARK_KIND_REFUSED, "'%s' refuses: %s", l->shown,
	                   code < (int)(sizeof(WHY) / sizeof(WHY[0])) ? WHY[code] : "for a reason without a name");
}

static enum ark_rc publish(const struct line *l, const struct net_mqtt *m, struct ark_err *err)
{
	ark_auto(ark_buf_release) struct ark_buf packet;
	unsigned char answer[4];
	ark_buf_init(&packet, 2 * LIMIT_NOTICE);
	put_connect(&packet, m);
	enum ark_rc rc = say(l, &packet, err);
	if (rc == ARK_OK)
		rc = hear_answer(l, CONNACK, answer, err);
	if (rc == ARK_OK)
		rc = admitted(l, answer[3], err);
	if (rc < 0)
		return rc;
	ark_buf_reset(&packet);
	put_publish(&packet, m);
	rc = say(l, &packet, err);
	if (rc == ARK_OK)
		rc = hear_answer(l, PUBACK, answer, err);
	if (rc == ARK_OK && (answer[2] != 0 || answer[3] != PACKET_ID))
		return lost(l, "it acknowledged another message", err);
	if (rc < 0)
		return rc;
	ark_buf_reset(&packet);
	put_packet(&packet, DISCONNECT, ARK_LIT(""));
	struct ark_err goodbye = { 0 };
	(void)say(l, &packet, &goodbye); /* the broker has the message, whether this arrives or not */
	return ARK_OK;
}

/* --- one message ------------------------------------------------------------------------------- */

static enum ark_rc check(const struct net_mqtt *m, struct ark_err *err)
{
	size_t user = m->user != NULL ? strlen(m->user) : 0, password = m->password != NULL ? strlen(m->password) : 0;
	if (user > STRING_BYTES || password > STRING_BYTES || strlen(m->topic) > STRING_BYTES)
		return ark_err_set(err, ARK_KIND_LIMIT, "MQTT has no names longer than %d bytes", STRING_BYTES);
	return ARK_OK;
}

/* libcurl connects to what it takes for a web server, and then leaves the line to us. */
static CURL *make_line(const struct net_options *opt, const struct net_mqtt *m, int port)
{
	struct net_setup setup;
	ark_auto(ark_buf_release) struct ark_buf url;
	ark_buf_init(&url, 4096);
	ark_buf_fmt(&url, "%s://%s:%d/", m->tls ? "https" : "http", m->host, port);
	net_setup_init(&setup, opt);
	CURL *easy = url.failed ? NULL : net_easy_new(&setup);
	net_setup_release(&setup);
	if (easy == NULL)
		return NULL;
	curl_easy_setopt(easy, CURLOPT_URL, url.data);
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, 0L);
	return easy;
}

enum ark_rc net_mqtt_publish(const struct net_options *opt, const struct net_mqtt *message,
                             struct ark_err *err)
{
	struct net_options o = *opt;
	o.total_ms = opt->total_ms > 0 ? opt->total_ms : TOTAL_MS;
	struct line l = { .end = ark_time_tick_ms() + o.total_ms };
	enum ark_rc rc = net_global(err);
	if (rc == ARK_OK)
		rc = check(message, err);
	if (rc < 0)
		return rc;
	int port = message->port > 0 ? message->port : message->tls ? 8883 : 1883;
	ark_auto(ark_buf_release) struct ark_buf shown;
	ark_buf_init(&shown, 4096);
	ark_buf_fmt(&shown, "%s://%s:%d", message->tls ? "mqtts" : "mqtt", message->host, port);
	l.shown = shown.data;
	ark_auto(easyp) CURL *easy = make_line(&o, message, port);
	if (easy == NULL)
		return ark_err_set(err, ARK_KIND_MEMORY, "libcurl has no memory");
	l.easy = easy;
	CURLcode code = curl_easy_perform(easy);
	return code == CURLE_OK ? publish(&l, message, err) : net_curl_err(easy, code, shown.data, err);
}
