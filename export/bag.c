#include "export/bag.h"

#include <string.h>

#include "common/base/time.h"
#include "common/crypt/hash.h"

#include "common/base/banned.h"

bool export_manifest_read(struct ark_str line, bool payload, struct ark_str *sha256, struct ark_str *name)
{
	const size_t hex = CRYPT_SHA256_HEX - 1;
	if (line.len <= hex + 2 || line.ptr[hex] != ' ' || (line.ptr[hex + 1] != ' ' && line.ptr[hex + 1] != '*'))
		return false;
	for (size_t i = 0; i < hex; i++)
		if (!((line.ptr[i] >= '0' && line.ptr[i] <= '9') || (line.ptr[i] >= 'a' && line.ptr[i] <= 'f')))
			return false;
	*sha256 = ark_str_first(line, hex);
	*name = ark_str_from(line, hex + 2);
	return memchr(name->ptr, '\0', name->len) == NULL && ark_str_starts(*name, ARK_LIT("data/")) == payload;
}

static bool is_payload(const struct export_listed *l)
{
	return strncmp(l->name, "data/", 5) == 0;
}

static enum ark_rc write_info(struct export_out *out, const struct export_bag_info *info, struct ark_err *err)
{
	size_t count, payload = 0;
	uint64_t bytes = 0;
	const struct export_listed *list = export_out_list(out, &count);
	for (size_t i = 0; i < count; i++) {
		payload += is_payload(&list[i]);
		bytes += is_payload(&list[i]) ? list[i].size_bytes : 0;
	}
	char iso[ARK_TIME_ISO];
	ark_time_iso(info->date_ms, iso);
	ark_auto(ark_buf_release) struct ark_buf text;
	ark_buf_init(&text, 1u << 16);
	ark_buf_fmt(&text, "Bag-Software-Agent: %s\nBagging-Date: %.10s\nPayload-Oxum: %llu.%zu\n", info->agent, iso,
	            (unsigned long long)bytes, payload);
	ark_buf_fmt(&text, "External-Description: %.*s\n", ARK_FMT(info->description));
	if (ark_str_has(info->group))
		ark_buf_fmt(&text, "Bag-Group-Identifier: %.*s\nBag-Count: %llu of ?\n", ARK_FMT(info->group),
		            (unsigned long long)info->number);
	if (ark_str_has(info->previous))
		ark_buf_fmt(&text, "Matterark-Previous-Tagmanifest-SHA256: %.*s\n", ARK_FMT(info->previous));
	enum ark_rc rc = ark_buf_ok(&text, "bag-info.txt", err);
	return rc == ARK_OK ? export_file_put(out, "bag-info.txt", EXPORT_PLAIN, ark_buf_view(&text), err) : rc;
}

/* One manifest: of the payload, or of what stands beside it; also into `text` unless that is NULL. */
static enum ark_rc write_manifest(struct export_out *out, const char *name, bool payload, struct ark_buf *text,
                                  struct ark_err *err)
{
	ark_auto(export_file_drop) struct export_file *f = NULL;
	enum ark_rc rc = export_file_begin(out, name, EXPORT_PLAIN, &f, err);
	size_t count;
	const struct export_listed *list = export_out_list(out, &count);
	for (size_t i = 0; i < count && rc == ARK_OK; i++) {
		char hex[CRYPT_SHA256_HEX + 2];
		if (is_payload(&list[i]) != payload)
			continue;
		crypt_hex(list[i].sha256, CRYPT_SHA256_BYTES, hex);
		hex[CRYPT_SHA256_HEX - 1] = hex[CRYPT_SHA256_HEX] = ' ';
		if (text != NULL)
			ark_buf_fmt(text, "%.*s%s\n", CRYPT_SHA256_HEX + 1, hex, list[i].name);
		rc = export_file_write(f, hex, CRYPT_SHA256_HEX + 1, err);
		if (rc == ARK_OK)
			rc = export_file_write(f, list[i].name, strlen(list[i].name), err);
		if (rc == ARK_OK)
			rc = export_file_write(f, "\n", 1, err);
	}
	return rc == ARK_OK ? export_file_end(&f, err) : rc;
}

enum ark_rc export_bag_write(struct export_out *out, const struct export_bag_info *info,
                             struct ark_buf *tagmanifest, struct ark_err *err)
{
	static const char BAGIT[] = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
	enum ark_rc rc = export_file_put(out, "bagit.txt", EXPORT_PLAIN, ark_str_z(BAGIT), err);
	if (rc == ARK_OK)
		rc = write_info(out, info, err);
	if (rc == ARK_OK)
		rc = write_manifest(out, "manifest-sha256.txt", true, NULL, err);
	return rc == ARK_OK ? write_manifest(out, EXPORT_TAGMANIFEST, false, tagmanifest, err) : rc;
}
