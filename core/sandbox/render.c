/*
 * Objects as a client wants them: whole, metadata alone, or as rows of a Table. Whole objects are copied from the stored bytes; only forms
 * that differ from the stored one, and rows, need a tree.
 */
#include "rest.h"

#include <string.h>

static void put(struct stint_buf *out, const char *from, const char *to)
{
	stint_buf_add(out, from, (size_t)(to - from));
}

/* The stored bytes from `from` on to `to`, with another resourceVersion where it lies between them. */
static void put_bytes(struct stint_buf *out, const struct stint_stored *stored, const char *from, const char *to, uint64_t version)
{
	const char *digits = stored->data + stored->version_at;

	if (!version || version == stored->version) {
		put(out, from, to);
		return;
	}
	put(out, from, digits);
	stint_buf_printf(out, "%llu", (unsigned long long)version);
	put(out, digits + stored->version_length, to);
}

static struct stint_json *tree_of(const struct stint_kind *kind, const struct stint_stored *stored, uint64_t version)
{
	struct stint_json *object = stint_form_read(kind, stored);
	stint_autofree char *digits = NULL;

	if (version && version != stored->version) {
		digits = stint_format("%llu", (unsigned long long)version);
		stint_json_set_string(stint_json_get(object, "metadata"), "resourceVersion", digits);
	}
	return object;
}

static void put_partial(struct stint_buf *out, const struct stint_stored *stored, uint64_t version)
{
	stint_buf_puts(out, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":");
	put_bytes(out, stored, stored->metadata.data, stored->metadata.data + stored->metadata.length, version);
	stint_buf_putc(out, '}');
}

static void put_table(
	struct stint_buf *out, const struct stint_kind *kind, const struct rest_form *form, const struct stint_json *object, bool columns)
{
	const struct stint_json *version = stint_json_at(object, "metadata", "resourceVersion");

	stint_buf_printf(out, "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":{\"resourceVersion\":\"%s\"},",
		stint_json_string_or(version, ""));
	if (columns)
		rest_table_columns(out, kind);
	else
		stint_buf_puts(out, "\"columnDefinitions\":[]");
	stint_buf_puts(out, ",\"rows\":[");
	rest_table_row(out, kind, form, object);
	stint_buf_puts(out, "]}");
}

void rest_render_stored(struct stint_buf *out, const struct stint_kind *kind, const struct rest_form *form,
	const struct stint_stored *stored, uint64_t version, bool columns)
{
	stint_auto_json *object = NULL;

	if (form->as == REST_AS_PARTIAL) {
		put_partial(out, stored, version);
		return;
	}
	if (form->as != REST_AS_TABLE && kind == stored->kind) {
		put_bytes(out, stored, stored->data, stored->data + stored->length, version);
		return;
	}
	object = tree_of(kind, stored, version);
	if (form->as == REST_AS_TABLE)
		put_table(out, kind, form, object, columns);
	else
		stint_json_print_to(out, object);
}

/* ---- answers -------------------------------------------------------------------------------------------------------------------- */

bool rest_form_fits(struct rest *rest, bool list)
{
	if (rest->form.as != REST_AS_PARTIAL || rest->form.list == list)
		return true;
	rest->form.as = REST_AS_OBJECT;
	if (list)
		rest_reply_status(rest,
			stint_status_new(406, "NotAcceptable", NULL, NULL, NULL,
				"you requested PartialObjectMetadata, but the requested object is a list (%s)",
				rest->route.kind->list_kind));
	else
		rest_reply_status(rest,
			stint_status_new(406, "NotAcceptable", NULL, NULL, NULL,
				"you requested PartialObjectMetadataList, but the requested object is not a list (%s)",
				rest->route.kind->kind));
	return false;
}

void rest_reply_stored(struct rest *rest, int code, const struct stint_stored *stored)
{
	struct stint_buf text = {0};
	size_t length;

	rest_render_stored(&text, rest->route.kind, &rest->form, stored, 0, true);
	stint_buf_putc(&text, '\n');
	length = text.length;
	rest_reply_text(rest, code, NULL, stint_buf_steal(&text), length);
}

void rest_reply_object(struct rest *rest, int code, const struct stint_json *object)
{
	const char *kind = stint_json_string_or(stint_json_get(object, "kind"), "");
	struct stint_buf text = {0};
	size_t length;

	if (strcmp(kind, "Status") == 0 || strcmp(kind, "Scale") == 0 || rest->form.as == REST_AS_OBJECT ||
		rest->form.as == REST_AS_DISCOVERY) {
		rest_reply_json(rest, code, object);
		return;
	}
	if (rest->form.as == REST_AS_TABLE) {
		put_table(&text, rest->route.kind, &rest->form, object, true);
	} else {
		stint_buf_puts(&text, "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/v1\",\"metadata\":");
		stint_json_print_to(&text, stint_json_get(object, "metadata"));
		stint_buf_putc(&text, '}');
	}
	stint_buf_putc(&text, '\n');
	length = text.length;
	rest_reply_text(rest, code, NULL, stint_buf_steal(&text), length);
}
