/* Any bytes as an answer of an object store: an error, a value, a page of a list. */
#include "common/base/limits.h"
#include "common/net/s3_private.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

struct seen {
	struct ark_buf last;
	size_t count;
	size_t bytes;
};

/* In order, none empty, none twice, no more text than was in the document. */
static enum ark_rc each(void *ctx, const struct net_s3_entry *e, struct ark_err *err)
{
	struct seen *s = ctx;
	(void)err;
	FUZZ_CLAIM(e->key.len > 0);
	FUZZ_CLAIM(s->count == 0 || ark_str_cmp(e->key, ark_buf_view(&s->last)) > 0);
	FUZZ_CLAIM(memchr(e->object.etag, '\0', sizeof(e->object.etag)) != NULL);
	ark_buf_reset(&s->last);
	ark_buf_str(&s->last, e->key);
	s->count++;
	s->bytes += e->key.len;
	return s->count == 100 ? ARK_END : ARK_OK;
}

static void as_list(struct ark_str xml)
{
	struct net_s3_page page = { 0 };
	struct seen seen = { 0 };
	struct ark_err err = { 0 };
	ark_buf_init(&page.token, LIMIT_STORE_PATH * 3);
	ark_buf_init(&page.last, LIMIT_STORE_PATH * 3);
	ark_buf_init(&seen.last, LIMIT_STORE_PATH * 3);
	enum ark_rc rc = net_s3_xml_list(xml, &page, each, &seen, &err);
	FUZZ_CLAIM(rc == ARK_OK || rc == ARK_END || (rc == ARK_FAIL && err.kind == ARK_KIND_INPUT));
	FUZZ_CLAIM(seen.bytes <= xml.len);
	if (rc == ARK_OK && page.truncated)
		FUZZ_CLAIM(page.token.len > 0);
	/* the same page once more is never a longer list */
	if (rc == ARK_OK && seen.count > 0)
		FUZZ_CLAIM(net_s3_xml_list(xml, &page, each, &seen, &err) == ARK_FAIL);
	ark_buf_release(&page.token);
	ark_buf_release(&page.last);
	ark_buf_release(&seen.last);
}

static bool printable(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static void as_error(struct ark_str xml)
{
	struct net_s3_error e;
	bool is = net_s3_xml_error(xml, &e);
	FUZZ_CLAIM(is == (e.code[0] != '\0'));
	/* it stands in messages for people */
	FUZZ_CLAIM(printable(e.code) && printable(e.message) && printable(e.region));
}

static void as_value(struct ark_str xml)
{
	struct ark_buf id;
	struct ark_err err = { 0 };
	ark_buf_init(&id, LIMIT_STORE_PATH);
	if (net_s3_xml_value(xml, "InitiateMultipartUploadResult", "UploadId", &id, &err) == ARK_OK)
		FUZZ_CLAIM(id.len > 0 && id.len <= xml.len);
	ark_buf_release(&id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ark_str xml = ark_str_n((const char *)data, size);
	as_error(xml);
	as_value(xml);
	as_list(xml);
	return 0;
}
