#include "import/fetch/mime.h"

#include "common/base/banned.h"

static const char *const TYPES[][2] = {
	{ "txt", "text/plain; charset=utf-8" }, { "text", "text/plain; charset=utf-8" },
	{ "log", "text/plain; charset=utf-8" }, { "md", "text/markdown; charset=utf-8" },
	{ "csv", "text/csv; charset=utf-8" },   { "tsv", "text/tab-separated-values; charset=utf-8" },
	{ "html", "text/html; charset=utf-8" }, { "htm", "text/html; charset=utf-8" },
	{ "css", "text/css; charset=utf-8" },   { "js", "text/javascript; charset=utf-8" },
	{ "mjs", "text/javascript; charset=utf-8" }, { "json", "application/json" },
	{ "xml", "text/xml; charset=utf-8" },   { "ics", "text/calendar; charset=utf-8" },
	{ "rtf", "application/rtf" },           { "pdf", "application/pdf" },
	{ "zip", "application/zip" },           { "gz", "application/gzip" },
	{ "tar", "application/x-tar" },         { "7z", "application/x-7z-compressed" },
	{ "doc", "application/msword" },        { "xls", "application/vnd.ms-excel" },
	{ "ppt", "application/vnd.ms-powerpoint" },
	{ "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
	{ "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
	{ "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
	{ "odt", "application/vnd.oasis.opendocument.text" },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet" },
	{ "odp", "application/vnd.oasis.opendocument.presentation" },
	{ "png", "image/png" },   { "jpg", "image/jpeg" },  { "jpeg", "image/jpeg" },
	{ "gif", "image/gif" },   { "webp", "image/webp" }, { "bmp", "image/bmp" },
	{ "tif", "image/tiff" },  { "tiff", "image/tiff" }, { "svg", "image/svg+xml" },
	{ "heic", "image/heic" }, { "avif", "image/avif" }, { "ico", "image/vnd.microsoft.icon" },
	{ "mp3", "audio/mpeg" },  { "m4a", "audio/mp4" },   { "wav", "audio/wav" },
	{ "ogg", "audio/ogg" },   { "flac", "audio/flac" }, { "aac", "audio/aac" },
	{ "mp4", "video/mp4" },   { "mov", "video/quicktime" }, { "webm", "video/webm" },
	{ "avi", "video/x-msvideo" }, { "mkv", "video/x-matroska" }, { "mpg", "video/mpeg" },
};

static size_t last_dot(struct ark_str name)
{
	for (size_t i = name.len; i > 0; i--)
		if (name.ptr[i - 1] == '.')
			return i - 1;
	return SIZE_MAX;
}

void mime_extension(struct ark_str name, struct ark_buf *out)
{
	size_t dot = last_dot(name);
	if (dot == SIZE_MAX || name.len - dot > 64)
		return;
	for (size_t i = dot + 1; i < name.len; i++)
		ark_buf_c(out, name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? (char)(name.ptr[i] | 0x20) : name.ptr[i]);
}

struct ark_str mime_type(struct ark_str extension, struct ark_str slack)
{
	for (size_t i = 0; i < sizeof(TYPES) / sizeof(TYPES[0]); i++)
		if (ark_str_eqz(extension, TYPES[i][0]))
			return ark_str_z(TYPES[i][1]);
	return ark_str_has(slack) ? slack : ARK_LIT("");
}

void mime_beside(struct ark_str path, const char *suffix, struct ark_str type, struct ark_buf *out)
{
	size_t slash = path.len;
	while (slash > 0 && path.ptr[slash - 1] != '/')
		slash--;
	size_t dot = last_dot(ark_str_from(path, slash));
	ark_buf_str(out, dot == SIZE_MAX ? path : ark_str_first(path, slash + dot));
	ark_buf_z(out, suffix);
	ark_buf_z(out, ark_str_eqz(type, "image/png") ? ".png" : ".jpg");
}
