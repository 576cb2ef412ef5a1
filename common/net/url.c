/* Texts of HTTP: addresses for people, percent encoding, dates. No request is made here. */
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "common/base/limits.h"
#include "common/base/mem.h"
#include "common/base/time.h"
#include "common/net/http.h"

#include "common/base/banned.h"

static void curl_urlp(CURLU **u)
{
	curl_url_cleanup(*u);
}

static void curl_textp(char **text)
{
	curl_free(*text);
}

void net_url_shown(const char *url, bool path, struct ark_buf *out)
{
	ark_auto(curl_urlp) CURLU *u = curl_url();
	ark_auto(curl_textp) char *scheme = NULL;
	ark_auto(curl_textp) char *host = NULL;
	ark_auto(curl_textp) char *port = NULL;
	ark_auto(curl_textp) char *where = NULL;
	if (u == NULL || curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK) {
		ark_buf_c(out, '?');
		return;
	}
	ark_buf_fmt(out, "%s://%s", scheme, host);
	if (curl_url_get(u, CURLUPART_PORT, &port, 0) == CURLUE_OK)
		ark_buf_fmt(out, ":%s", port);
	if (path && curl_url_get(u, CURLUPART_PATH, &where, 0) == CURLUE_OK)
		ark_buf_z(out, where);
}

static bool part(CURLU *u, CURLUPart what, unsigned flags, char **out)
{
	ark_auto(curl_textp) char *text = NULL;
	CURLUcode code = curl_url_get(u, what, &text, flags);
	if (code == CURLUE_OK)
		*out = ark_strdupz(text);
	return code == CURLUE_OK || code == CURLUE_NO_USER || code == CURLUE_NO_PASSWORD ||
	       code == CURLUE_NO_PORT || code == CURLUE_NO_QUERY;
}

bool net_url_split(const char *url, struct net_url *out)
{
	ark_auto(curl_urlp) CURLU *u = curl_url();
	ark_auto(net_url_release) struct net_url parts = { 0 };
	ark_auto(ark_freep) char *port = NULL;
	uint64_t number = 0;
	if (u == NULL || curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		return false;
	if (!part(u, CURLUPART_SCHEME, 0, &parts.scheme) || !part(u, CURLUPART_HOST, 0, &parts.host) ||
	    !part(u, CURLUPART_USER, CURLU_URLDECODE, &parts.user) ||
	    !part(u, CURLUPART_PASSWORD, CURLU_URLDECODE, &parts.password) ||
	    !part(u, CURLUPART_PORT, 0, &port) || !part(u, CURLUPART_PATH, 0, &parts.path) ||
	    !part(u, CURLUPART_QUERY, 0, &parts.query))
		return false;
	if (parts.host == NULL || parts.host[0] == '\0')
		return false;
	if (port != NULL && (!ark_str_u64(ark_str_z(port), &number) || number < 1 || number > 65535))
		return false;
	parts.port = (int)number;
	*out = parts;
	parts = (struct net_url){ 0 };
	return true;
}

void net_url_release(struct net_url *parts)
{
	free(parts->scheme);
	free(parts->user);
	free(parts->password);
	free(parts->host);
	free(parts->path);
	free(parts->query);
	*parts = (struct net_url){ 0 };
}

static bool unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

void net_url_encode(struct ark_str s, bool slashes, struct ark_buf *out)
{
	for (size_t i = 0; i < s.len; i++) {
		if (unreserved(s.ptr[i]) || (slashes && s.ptr[i] == '/'))
			ark_buf_c(out, s.ptr[i]);
		else
			ark_buf_fmt(out, "%%%02X", (unsigned char)s.ptr[i]);
	}
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

bool net_url_decode(struct ark_str s, struct ark_buf *out)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '%') {
			ark_buf_c(out, s.ptr[i]);
			continue;
		}
		int high = s.len - i > 2 ? hex(s.ptr[i + 1]) : -1;
		int low = s.len - i > 2 ? hex(s.ptr[i + 2]) : -1;
		if (high < 0 || low < 0 || (high == 0 && low == 0))
			return false;
		ark_buf_c(out, (char)(high * 16 + low));
		i += 2;
	}
	return !out->failed;
}

/* --- dates: RFC 9110 section 5.6.7 ------------------------------------------------------------- */

static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Takes exactly `digits` digits (a leading blank counts as 0 when `blank`). */
static bool take_number(struct ark_str *s, size_t digits, bool blank, int *out)
{
	int n = 0;
	if (s->len < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		char c = s->ptr[i];
		if (blank && i == 0 && c == ' ')
			c = '0';
		if (c < '0' || c > '9')
			return false;
		n = n * 10 + (c - '0');
	}
	*s = ark_str_from(*s, digits);
	*out = n;
	return true;
}

static bool take(struct ark_str *s, const char *text)
{
	if (!ark_str_starts(*s, ark_str_z(text)))
		return false;
	*s = ark_str_from(*s, strlen(text));
	return true;
}

static bool take_month(struct ark_str *s, int *month)
{
	for (int i = 0; i < 12 && s->len >= 3; i++) {
		if (memcmp(s->ptr, MONTHS + 3 * i, 3) == 0) {
			*s = ark_str_from(*s, 3);
			*month = i + 1;
			return true;
		}
	}
	return false;
}

static bool take_clock(struct ark_str *s, struct ark_civil *c)
{
	return take_number(s, 2, false, &c->hour) && take(s, ":") &&
	       take_number(s, 2, false, &c->minute) && take(s, ":") &&
	       take_number(s, 2, false, &c->second);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" and "Sunday, 06-Nov-94 08:49:37 GMT", behind the comma. */
static bool dated(struct ark_str s, struct ark_civil *c)
{
	if (!take(&s, " ") || !take_number(&s, 2, false, &c->day))
		return false;
	bool old = take(&s, "-");
	if (!old && !take(&s, " "))
		return false;
	if (!take_month(&s, &c->month) || !take(&s, old ? "-" : " ") ||
	    !take_number(&s, old ? 2 : 4, false, &c->year))
		return false;
	if (old)
		c->year += c->year < 70 ? 2000 : 1900;
	return take(&s, " ") && take_clock(&s, c) && ark_str_eqz(s, " GMT");
}

/* "Sun Nov  6 08:49:37 1994", behind the day of the week. */
static bool asctime_form(struct ark_str s, struct ark_civil *c)
{
	return take(&s, " ") && take_month(&s, &c->month) && take(&s, " ") &&
	       take_number(&s, 2, true, &c->day) && take(&s, " ") && take_clock(&s, c) && take(&s, " ") &&
	       take_number(&s, 4, false, &c->year) && s.len == 0;
}

bool net_http_date(struct ark_str value, int64_t *unix_ms)
{
	struct ark_str s = ark_str_trim(value);
	struct ark_civil c = { 0 };
	size_t comma = ark_str_find(s, ',', 0);
	bool ok = comma != SIZE_MAX ? dated(ark_str_from(s, comma + 1), &c)
	                            : asctime_form(ark_str_from(s, 3), &c);
	if (!ok || c.year < 1970 || c.day < 1 || c.day > 31 || c.hour > 23 || c.minute > 59 || c.second > 60)
		return false;
	if (c.second == 60)
		c.second = 59; /* a leap second, which Unix time does not have */
	int64_t at = ark_time_from_civil(&c);
	if (ark_time_civil(at).day != c.day)
		return false; /* 31 February */
	*unix_ms = at;
	return true;
}

bool net_retry_after(struct ark_str value, int64_t now_ms, int64_t *wait_ms)
{
	uint64_t seconds;
	int64_t at;
	value = ark_str_trim(value);
	if (ark_str_u64(value, &seconds)) {
		*wait_ms = seconds > LIMIT_RETRY_AFTER_S ? LIMIT_RETRY_AFTER_S * INT64_C(1000)
		                                         : (int64_t)seconds * 1000;
		return true;
	}
	if (!net_http_date(value, &at))
		return false;
	*wait_ms = at > now_ms ? at - now_ms : 0;
	return true;
}
