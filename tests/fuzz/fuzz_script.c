/*
 * Any text as the second part of a schema: each statement, read by itself, is one statement again and of the same
 * kind, whatever stands in its quotes, comments and brackets.
 */
#include "backup/restore/script.h"
#include "common/base/buf.h"
#include "tests/fuzz/fuzz.h"

#include "common/base/banned.h"

static bool no_keys(void *ctx, struct ark_str schema, struct ark_str table)
{
	(void)ctx;
	(void)schema;
	(void)table;
	return false;
}

static bool all_keys(void *ctx, struct ark_str schema, struct ark_str table)
{
	(void)ctx;
	FUZZ_CLAIM(schema.len > 0 && table.len > 0);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ark_err err = { 0 };
	ark_auto(script_release) struct script plain = { 0 }, keys = { 0 };
	ark_auto(ark_buf_release) struct ark_buf one;
	struct ark_str text = ark_str_n((const char *)data, size);
	ark_buf_init(&one, 1u << 20);
	/* a NUL ends a statement for the server, and pg_dump writes none */
	if (size == 0 || memchr(data, 0, size) != NULL || script_read(text, no_keys, NULL, &plain, &err) < 0)
		return 0;
	FUZZ_CLAIM(script_read(text, all_keys, NULL, &keys, &err) == ARK_OK && keys.count >= plain.count);
	for (size_t i = 0; i < plain.count && i < 64; i++) {
		ark_auto(script_release) struct script again = { 0 };
		ark_buf_reset(&one);
		ark_buf_z(&one, plain.items[i].sql);
		ark_buf_z(&one, "\n;");
		FUZZ_CLAIM(script_read(ark_buf_view(&one), no_keys, NULL, &again, &err) == ARK_OK);
		FUZZ_CLAIM(again.count == 1 && again.items[0].kind == plain.items[i].kind);
		FUZZ_CLAIM(strcmp(again.items[0].sql, plain.items[i].sql) == 0);
	}
	return 0;
}
