#include "export/formats/mail/mime.h"

#include <stdio.h>
#include <string.h>

#include "common/base/time.h"
#include "common/base/utf8.h"

#include "common/base/banned.h"

#define LINE  76
#define FLUSH (64u << 10)

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void mime_begin(struct mime *m, struct export_file *file, struct ark_str seed)
{
	uint64_t h = 14695981039346656037u;
	*m = (struct mime){ .file = file };
	ark_buf_init(&m->text, 64u << 20);
	for (size_t i = 0; i < seed.len; i++)
		h = (h ^ (unsigned char)seed.ptr[i]) * 1099511628211u;
	/* "=_" occurs in neither base64 nor quoted-printable text */
	snprintf(m->boundary, sizeof(m->boundary), "=_matterark_%016llx", (unsigned long long)h);
}

void mime_release(struct mime *m)
{
	ark_buf_release(&m->text);
}

/* --- headers --- */

static void put_base64(struct ark_buf *b, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i += 3) {
		unsigned long v = (unsigned long)p[i] << 16 | (i + 1 < n ? (unsigned long)p[i + 1] << 8 : 0) |
		                  (i + 2 < n ? p[i + 2] : 0);
		ark_buf_c(b, BASE64[v >> 18 & 63]);
		ark_buf_c(b, BASE64[v >> 12 & 63]);
		ark_buf_c(b, i + 1 < n ? BASE64[v >> 6 & 63] : '=');
		ark_buf_c(b, i + 2 < n ? BASE64[v & 63] : '=');
	}
}

static bool is_plain(struct ark_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || (unsigned char)s.ptr[i] > 0x7e)
			return false;
	return ark_str_search(s, ARK_LIT("=?"), 0) == SIZE_MAX;
}

/* Words of at most 75 characters, cut between runes: 45 bytes are 60 of base64. */
static void put_encoded(struct ark_buf *b, struct ark_str s)
{
	ark_auto(ark_buf_release) struct ark_buf clean;
	ark_buf_init(&clean, 1u << 20);
	for (size_t i = 0; i < s.len; i++)
		ark_buf_c(&clean, (unsigned char)s.ptr[i] < 0x20 ? ' ' : s.ptr[i]);
	struct ark_str rest = ark_buf_view(&clean);
	for (bool first = true; rest.len > 0 || first; first = false) {
		struct ark_str word = ark_utf8_first_bytes(rest, 45);
		if (word.len == 0)
			word = ark_str_first(rest, rest.len < 45 ? rest.len : 45);
		ark_buf_z(b, first ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
		put_base64(b, (const unsigned char *)word.ptr, word.len);
		ark_buf_z(b, "?=");
		rest = ark_str_from(rest, word.len);
		if (word.len == 0)
			break;
	}
}

/* Lines are folded at blanks; a piece that is too long for any line stays whole below 998. */
static void put_folded(struct ark_buf *b, struct ark_str s, size_t column)
{
	for (size_t i = 0; i < s.len;) {
		size_t end = ark_str_find(s, ' ', i + 1);
		if (end == SIZE_MAX)
			end = s.len;
		if (column + (end - i) > LINE && s.ptr[i] == ' ') {
			ark_buf_z(b, "\r\n");
			column = 0;
		}
		ark_buf_add(b, s.ptr + i, end - i);
		column += end - i;
		i = end;
	}
}

void mime_header(struct mime *m, const char *name, struct ark_str value)
{
	ark_buf_fmt(&m->text, "%s: ", name);
	if (is_plain(value) && value.len < 900)
		put_folded(&m->text, value, strlen(name) + 2);
	else
		put_encoded(&m->text, value);
	ark_buf_z(&m->text, "\r\n");
}

/* Letters, digits and the marks of atoms around one "@". */
static bool is_address(struct ark_str s)
{
	size_t at = ark_str_find(s, '@', 0);
	if (at == SIZE_MAX || at == 0 || at + 1 >= s.len || s.len > 254 || ark_str_find(s, '@', at + 1) != SIZE_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		            (c != '\0' && strchr("@.!#$%&'*+-/=?^_`{|}~", c) != NULL);
		bool dot = c == '.' && (i == 0 || i + 1 == s.len || s.ptr[i - 1] == '.' || s.ptr[i + 1] == '@' ||
		                        s.ptr[i - 1] == '@');
		if (!fine || dot)
			return false;
	}
	return true;
}

void mime_address(struct ark_buf *list, struct ark_str name, struct ark_str address, struct ark_str id)
{
	if (list->len > 0)
		ark_buf_z(list, ",\r\n ");
	if (is_plain(name)) {
		ark_buf_c(list, '"');
		for (size_t i = 0; i < name.len; i++) {
			if (name.ptr[i] == '"' || name.ptr[i] == '\\')
				ark_buf_c(list, '\\');
			ark_buf_c(list, name.ptr[i]);
		}
		ark_buf_c(list, '"');
	} else {
		put_encoded(list, name);
	}
	if (is_address(address))
		ark_buf_fmt(list, " <%.*s>", ARK_FMT(address));
	else
		ark_buf_fmt(list, " <%.*s@unknown.invalid>", ARK_FMT(id));
}

void mime_addresses(struct mime *m, const char *name, struct ark_str list)
{
	ark_buf_fmt(&m->text, "%s: ", name);
	ark_buf_str(&m->text, list);
	ark_buf_z(&m->text, "\r\n");
}

void mime_date(struct mime *m, const char *name, int64_t unix_ms)
{
	static const char *const DAYS[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const MONTHS[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t ms = unix_ms > 0 ? unix_ms : 0;
	struct ark_civil c = ark_time_civil(ms);
	ark_buf_fmt(&m->text, "%s: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", name, DAYS[ms / 86400000 % 7], c.day,
	            MONTHS[c.month - 1], c.year, c.hour, c.minute, c.second);
}

void mime_multipart(struct mime *m)
{
	ark_buf_fmt(&m->text, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n",
	            m->boundary);
}

/* --- parts --- */

/* RFC 2231 for names that are no ASCII, the plain form for those that are. */
static void put_filename(struct ark_buf *b, struct ark_str name)
{
	if (is_plain(name) && ark_str_find(name, '"', 0) == SIZE_MAX && ark_str_find(name, '\\', 0) == SIZE_MAX &&
	    name.len < 60) {
		ark_buf_fmt(b, ";\r\n filename=\"%.*s\"", ARK_FMT(name));
		return;
	}
	unsigned section = 0;
	for (size_t i = 0; i < name.len || section == 0;) {
		ark_buf_fmt(b, ";\r\n filename*%u*=%s", section, section == 0 ? "UTF-8''" : "");
		section++;
		for (unsigned n = 0; n < 16 && i < name.len; n++, i++)
			ark_buf_fmt(b, "%%%02X", (unsigned)(unsigned char)name.ptr[i]);
	}
}

void mime_part(struct mime *m, const char *type, struct ark_str filename)
{
	ark_buf_fmt(&m->text, "--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: base64\r\n"
	                      "Content-Disposition: %s", m->boundary, type,
	            ark_str_has(filename) ? "attachment" : "inline");
	if (ark_str_has(filename))
		put_filename(&m->text, filename);
	ark_buf_z(&m->text, "\r\n\r\n");
	m->left_count = m->column = 0;
}

static enum ark_rc flush(struct mime *m, struct ark_err *err)
{
	enum ark_rc rc = ark_buf_ok(&m->text, "a mail message", err);
	if (rc == ARK_OK)
		rc = export_file_write(m->file, m->text.data, m->text.len, err);
	ark_buf_reset(&m->text);
	return rc;
}

static void put_group(struct mime *m, const unsigned char *p, size_t n)
{
	put_base64(&m->text, p, n);
	m->column += 4;
	if (m->column >= LINE) {
		ark_buf_z(&m->text, "\r\n");
		m->column = 0;
	}
}

enum ark_rc mime_write(struct mime *m, const void *data, size_t len, struct ark_err *err)
{
	const unsigned char *p = data;
	while (len > 0) {
		if (m->left_count == 0 && len >= 3) {
			put_group(m, p, 3);
			p += 3;
			len -= 3;
		} else {
			m->left[m->left_count++] = *p++;
			len--;
			if (m->left_count == 3) {
				put_group(m, m->left, 3);
				m->left_count = 0;
			}
		}
		if (m->text.len >= FLUSH) {
			enum ark_rc rc = flush(m, err);
			if (rc < 0)
				return rc;
		}
	}
	return ARK_OK;
}

enum ark_rc mime_part_end(struct mime *m, struct ark_err *err)
{
	if (m->left_count > 0)
		put_group(m, m->left, m->left_count);
	m->left_count = 0;
	if (m->column > 0)
		ark_buf_z(&m->text, "\r\n");
	return flush(m, err);
}

enum ark_rc mime_end(struct mime *m, struct ark_err *err)
{
	ark_buf_fmt(&m->text, "--%s--\r\n", m->boundary);
	return flush(m, err);
}
