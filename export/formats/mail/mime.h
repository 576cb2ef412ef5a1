/*
 * Writing one mail message (RFC 5322, MIME) into a file of the export, piece by piece: headers in any
 * language (RFC 2047), parts in base64. The same calls give the same bytes.
 */
#ifndef EXPORT_FORMATS_MAIL_MIME_H
#define EXPORT_FORMATS_MAIL_MIME_H

#include "common/base/buf.h"
#include "export/out.h"

struct mime {
	struct export_file *file; /* borrowed */
	struct ark_buf text;      /* not yet written */
	unsigned char left[3];    /* bytes that make no whole group of base64 yet */
	unsigned left_count;
	unsigned column;
	char boundary[48];
};

/* boundary: made of `seed`, which no other message of the export has */
void mime_begin(struct mime *m, struct export_file *file, struct ark_str seed);
void mime_release(struct mime *m); /* also for ark_auto */

/* "Name: value", folded; what is no ASCII as encoded words; line ends in `value` become blanks. */
void mime_header(struct mime *m, const char *name, struct ark_str value);
/* Append `"Name" <address>` to a list of addresses; an address that is none becomes ID@unknown.invalid. */
void mime_address(struct ark_buf *list, struct ark_str name, struct ark_str address, struct ark_str id);
/* The same list as a header. */
void mime_addresses(struct mime *m, const char *name, struct ark_str list);
/* "Date: Tue, 05 Mar 2024 10:22:03 +0000" */
void mime_date(struct mime *m, const char *name, int64_t unix_ms);
/* End of the headers of a multipart/mixed message. */
void mime_multipart(struct mime *m);

/* filename NONE: the text of the message. */
void mime_part(struct mime *m, const char *type, struct ark_str filename);
/* Content of the part, as base64; may be called any number of times. */
enum ark_rc mime_write(struct mime *m, const void *data, size_t len, struct ark_err *err);
enum ark_rc mime_part_end(struct mime *m, struct ark_err *err);
/* Closes the message; the file stays open. */
enum ark_rc mime_end(struct mime *m, struct ark_err *err);

#endif
