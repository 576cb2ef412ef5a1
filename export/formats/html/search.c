/*
 * The index of the search page, which also works without a server: words and messages in many small
 * scripts, of which a search loads a handful.
 *
 *	search/meta.js   how many messages there are
 *	search/t/NN.js   the words of one bucket and, for each, the numbers of the messages that hold it
 *	search/d/N.js    HTML_BLOCK messages: page, id, time, author, channel, beginning of the text
 *
 * A word's bucket is a hash of its first two characters, so that the beginning of a word is enough to
 * find its bucket. While messages come in, (word, message) pairs go to one temporary file in blocks that
 * belong to a bucket each; at the end one bucket after the other is read and written.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/utf8.h"
#include "common/json/out.h"
#include "export/formats/html/private.h"
#include "export/formats/html/words.h"

#include "common/base/banned.h"

#define HTML_BUCKETS   256u
#define HTML_BLOCK     500u       /* messages in one script */
#define HTML_COMMON    200000u    /* words that more messages hold find nothing: "the" */
#define HTML_SNIPPET   220u       /* characters of a message that a result shows */
#define BLOCK_BYTES    8192u      /* of a bucket, before they go to the file */
#define PASS_BYTES     (4u << 20) /* of a bucket whose words are held together */
#define WORDS_OF_ONE   4096u      /* different words of one message that are found */

struct bucket {
	struct ark_buf block;
	uint64_t *blocks; /* offset << 16 | length of each block in the file */
	size_t count;
	uint64_t bytes;
};

struct html_search {
	struct bucket buckets[HTML_BUCKETS];
	struct io_spool spool;
	struct ark_map seen; /* words of this message */
	struct ark_buf docs; /* the script that is being filled */
	struct ark_buf pages;
	struct ark_buf page; /* the last one in `pages` */
	struct ark_buf word; /* "from:bob" is the word "@bob", "in:town-square" is "#town-square" */
	uint32_t count;      /* messages */
	uint32_t pages_count;
	enum ark_rc rc;      /* first failure of a callback */
	struct ark_err *err;
};

struct html_search *html_search_new(void)
{
	struct html_search *s = ark_calloc(1, sizeof(*s));
	s->spool = IO_SPOOL_NONE;
	for (size_t i = 0; i < HTML_BUCKETS; i++)
		ark_buf_init(&s->buckets[i].block, BLOCK_BYTES + 2 * HTML_WORD_BYTES);
	ark_buf_init(&s->docs, HTML_BUFFER);
	ark_buf_init(&s->pages, HTML_BUFFER);
	ark_buf_init(&s->page, 1u << 16);
	ark_buf_init(&s->word, 1u << 12);
	return s;
}

void html_search_free(struct html_search *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < HTML_BUCKETS; i++) {
		ark_buf_release(&s->buckets[i].block);
		free(s->buckets[i].blocks);
	}
	io_spool_close(&s->spool);
	ark_map_release(&s->seen);
	ark_buf_release(&s->docs);
	ark_buf_release(&s->pages);
	ark_buf_release(&s->page);
	ark_buf_release(&s->word);
	free(s);
}

/* FNV-1a of the first two characters; app.js computes the same from the UTF-8 bytes. */
static uint32_t bucket_of(struct ark_str word)
{
	size_t first = 0, second = 0;
	ark_utf8_at(word, 0, &first);
	if (first < word.len)
		ark_utf8_at(word, first, &second);
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < first + second; i++)
		h = (h ^ (unsigned char)word.ptr[i]) * 16777619u;
	return (h ^ h >> 16) % HTML_BUCKETS;
}

static enum ark_rc block_out(struct html_search *s, struct bucket *b, struct ark_err *err)
{
	uint64_t at = s->spool.fd < 0 ? 0 : s->spool.len;
	if (b->block.len == 0)
		return ARK_OK;
	enum ark_rc rc = io_spool_add(&s->spool, io_temp_dir(), b->block.data, b->block.len, err);
	if (rc < 0)
		return rc;
	if ((b->count & (b->count + 1)) == 0)
		b->blocks = ark_realloc(b->blocks, 2 * b->count + 2, sizeof(*b->blocks));
	b->blocks[b->count++] = at << 16 | b->block.len;
	b->bytes += b->block.len;
	ark_buf_reset(&b->block);
	return ARK_OK;
}

static void on_word(void *ctx, struct ark_str word)
{
	struct html_search *s = ctx;
	if (s->rc < 0 || s->seen.count >= WORDS_OF_ONE || ark_map_get(&s->seen, word) != ARK_MAP_NONE)
		return;
	ark_map_put(&s->seen, word, 1);
	struct bucket *b = &s->buckets[bucket_of(word)];
	uint32_t doc = s->count;
	ark_buf_c(&b->block, (char)word.len);
	ark_buf_str(&b->block, word);
	ark_buf_add(&b->block, (const char *)&doc, sizeof(doc));
	if (b->block.len >= BLOCK_BYTES)
		s->rc = block_out(s, b, s->err);
}

static void add_marked(struct html_search *s, char mark, struct ark_str name)
{
	if (name.len == 0)
		return;
	ark_buf_reset(&s->word);
	ark_buf_c(&s->word, mark);
	ark_buf_str(&s->word, ark_utf8_first_bytes(name, HTML_WORD_BYTES));
	on_word(s, ark_buf_view(&s->word));
}

/* As a string of a script: valid JSON is. */
static void put_string(struct ark_buf *b, struct ark_str text)
{
	ark_buf_json(b, text);
}

static enum ark_rc docs_out(struct html_search *s, struct export_out *out, struct ark_err *err)
{
	if (s->docs.len == 0)
		return ARK_OK;
	ark_auto(ark_buf_release) struct ark_buf name, text;
	ark_buf_init(&name, 256);
	ark_buf_init(&text, 2 * HTML_BUFFER);
	uint32_t block = (s->count - 1) / HTML_BLOCK;
	ark_buf_fmt(&name, HTML_ROOT "search/d/%u.js", block);
	ark_buf_fmt(&text, "ARK.docs(%u,[%s],[%s]);\n", block, s->pages.data, s->docs.data);
	ark_buf_reset(&s->docs);
	ark_buf_reset(&s->pages);
	ark_buf_reset(&s->page);
	s->pages_count = 0;
	enum ark_rc rc = ark_buf_ok(&text, "a part of the search index", err);
	return rc < 0 ? rc : export_file_put(out, name.data, EXPORT_PLAIN, ark_buf_view(&text), err);
}

static void put_document(struct html_search *s, const struct html_document *d)
{
	if (!ark_str_eq(ark_buf_view(&s->page), d->page) || s->pages_count == 0) {
		if (s->pages_count++ > 0)
			ark_buf_c(&s->pages, ',');
		put_string(&s->pages, d->page);
		ark_buf_reset(&s->page);
		ark_buf_str(&s->page, d->page);
	}
	if (s->docs.len > 0)
		ark_buf_z(&s->docs, ",\n");
	ark_buf_fmt(&s->docs, "[%u,", s->pages_count - 1);
	put_string(&s->docs, d->id);
	ark_buf_fmt(&s->docs, ",%lld,", (long long)d->create_ms);
	put_string(&s->docs, d->author);
	ark_buf_c(&s->docs, ',');
	put_string(&s->docs, d->channel);
	ark_buf_c(&s->docs, ',');
	put_string(&s->docs, ark_utf8_first(d->text, HTML_SNIPPET));
	ark_buf_c(&s->docs, ']');
}

enum ark_rc html_search_add(struct html_search *s, struct export_out *out,
                            const struct html_document *d, struct ark_err *err)
{
	s->rc = ARK_OK;
	s->err = err;
	ark_map_clear(&s->seen);
	html_words(d->text, on_word, s);
	add_marked(s, '@', d->user_name);
	add_marked(s, '#', d->channel_name);
	if (s->rc < 0)
		return s->rc;
	put_document(s, d);
	s->count++;
	return s->count % HTML_BLOCK == 0 ? docs_out(s, out, err) : ARK_OK;
}

/* --- the end: one bucket after the other --- */

/*
 * A bucket is written in passes over its blocks, each for a share of its words, so that memory is that of
 * PASS_BYTES however many messages there are. Numbers of messages come in their order.
 */
struct pass {
	uint32_t number, of;
	struct ark_map words;    /* -> index in `counts` */
	uint32_t *counts, *ends; /* messages of a word; where its next number goes in `docs` */
	size_t cap;
	uint32_t *docs;
	bool placing;            /* second reading */
};

static void pass_release(struct pass *p)
{
	ark_map_release(&p->words);
	free(p->counts);
	free(p->ends);
	free(p->docs);
}

static uint32_t share_of(struct ark_str word, uint32_t of)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < word.len; i++)
		h = (h ^ (unsigned char)word.ptr[i]) * 16777619u;
	return (h ^ h >> 15) % of;
}

static void pass_record(struct pass *p, struct ark_str word, uint32_t doc)
{
	if (p->of > 1 && share_of(word, p->of) != p->number)
		return;
	uint32_t at = ark_map_get(&p->words, word);
	if (p->placing) {
		if (p->counts[at] <= HTML_COMMON)
			p->docs[p->ends[at]++] = doc;
		return;
	}
	if (at == ARK_MAP_NONE) {
		at = p->words.count;
		if (at == p->cap) {
			p->cap = p->cap > 0 ? 2 * p->cap : 1024;
			p->counts = ark_realloc(p->counts, p->cap, sizeof(p->counts[0]));
		}
		p->counts[at] = 0;
		ark_map_put(&p->words, word, at);
	}
	p->counts[at]++;
}

static enum ark_rc pass_read(struct pass *p, const struct html_search *s, const struct bucket *b, struct ark_err *err)
{
	char bytes[BLOCK_BYTES + 2 * HTML_WORD_BYTES];
	for (size_t i = 0; i < b->count; i++) {
		size_t len = b->blocks[i] & 0xFFFF;
		enum ark_rc rc = io_spool_read(&s->spool, b->blocks[i] >> 16, bytes, len, err);
		if (rc < 0)
			return rc;
		for (size_t at = 0; at < len;) {
			struct ark_str word = ark_str_n(bytes + at + 1, (unsigned char)bytes[at]);
			uint32_t doc;
			memcpy(&doc, word.ptr + word.len, sizeof(doc));
			pass_record(p, word, doc);
			at += 1 + word.len + sizeof(doc);
		}
	}
	return ARK_OK;
}

static enum ark_rc pass_fill(struct pass *p, const struct html_search *s, const struct bucket *b, struct ark_err *err)
{
	enum ark_rc rc = pass_read(p, s, b, err);
	if (rc < 0)
		return rc;
	uint32_t all = 0;
	p->ends = ark_calloc(p->words.count + 1, sizeof(p->ends[0]));
	for (uint32_t i = 0; i < p->words.count; i++) {
		p->ends[i] = all;
		all += p->counts[i] <= HTML_COMMON ? p->counts[i] : 0;
	}
	p->docs = ark_calloc(all + 1, sizeof(p->docs[0]));
	p->placing = true;
	return pass_read(p, s, b, err);
}

struct named {
	struct ark_str word;
	uint32_t at;
};

static int by_word(const void *a, const void *b)
{
	return ark_str_cmp(((const struct named *)a)->word, ((const struct named *)b)->word);
}

static void put_base36(struct ark_buf *b, uint32_t n)
{
	static const char DIGITS[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	char room[8];
	size_t at = sizeof(room);
	do
		room[--at] = DIGITS[n % 36];
	while ((n /= 36) > 0);
	ark_buf_add(b, room + at, sizeof(room) - at);
}

/* "word":"first,step,step,..." in base 36; 0 for a word that nearly everything holds. */
static void put_postings(struct ark_buf *b, const struct pass *p, const struct named *word)
{
	uint32_t n = p->counts[word->at];
	put_string(b, word->word);
	if (n > HTML_COMMON) {
		ark_buf_z(b, ":0");
		return;
	}
	const uint32_t *docs = p->docs + p->ends[word->at] - n;
	ark_buf_z(b, ":\"");
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			ark_buf_c(b, ',');
		put_base36(b, i == 0 ? docs[0] : docs[i] - docs[i - 1]);
	}
	ark_buf_c(b, '"');
}

static enum ark_rc pass_out(const struct pass *p, bool *first, struct export_file *file, struct ark_buf *text,
                            struct ark_err *err)
{
	ark_auto(ark_freep) struct named *words = ark_calloc(p->words.count + 1, sizeof(*words));
	enum ark_rc rc = ARK_OK;
	for (uint32_t i = 0; i < p->words.count; i++)
		words[i] = (struct named){ ark_map_key(&p->words, i), i };
	qsort(words, p->words.count, sizeof(*words), by_word);
	for (uint32_t i = 0; rc == ARK_OK && i < p->words.count; i++) {
		ark_buf_z(text, *first ? "\n" : ",\n");
		*first = false;
		put_postings(text, p, &words[i]);
		if (text->len > 1u << 16) {
			rc = export_file_write(file, text->data, text->len, err);
			ark_buf_reset(text);
		}
	}
	return rc;
}

static enum ark_rc bucket_out(struct html_search *s, uint32_t number, struct export_out *out,
                              struct ark_err *err)
{
	struct bucket *b = &s->buckets[number];
	enum ark_rc rc = block_out(s, b, err);
	if (rc < 0)
		return rc;
	ark_auto(export_file_drop) struct export_file *file = NULL;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, HTML_BUFFER);
	ark_buf_fmt(&text, HTML_ROOT "search/t/%u.js", number);
	rc = export_file_begin(out, text.data, EXPORT_PLAIN, &file, err);
	ark_buf_reset(&text);
	ark_buf_fmt(&text, "ARK.words(%u,{", number);
	bool first = true;
	uint32_t passes = (uint32_t)(b->bytes / PASS_BYTES) + 1;
	for (uint32_t i = 0; rc == ARK_OK && i < passes; i++) {
		ark_auto(pass_release) struct pass p = { .number = i, .of = passes };
		rc = pass_fill(&p, s, b, err);
		if (rc == ARK_OK)
			rc = pass_out(&p, &first, file, &text, err);
	}
	ark_buf_z(&text, "});\n");
	if (rc == ARK_OK)
		rc = export_file_write(file, text.data, text.len, err);
	return rc < 0 ? rc : export_file_end(&file, err);
}

enum ark_rc html_search_end(struct html_search *s, struct export_out *out, struct ark_err *err)
{
	enum ark_rc rc = docs_out(s, out, err);
	for (uint32_t i = 0; rc == ARK_OK && i < HTML_BUCKETS; i++)
		rc = bucket_out(s, i, out, err);
	if (rc < 0)
		return rc;
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 1024);
	ark_buf_fmt(&text, "ARK.meta({messages:%u,block:%u,buckets:%u});\n", s->count, HTML_BLOCK,
	            HTML_BUCKETS);
	return export_file_put(out, HTML_ROOT "search/meta.js", EXPORT_PLAIN, ark_buf_view(&text), err);
}
