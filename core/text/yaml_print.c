/*
 * From the tree to YAML, through libyaml's emitter: block style, long text in literal blocks, quotes where plain text would read as
 * something else.
 */
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "core/text/scalar.h"

static int collect(void *user, unsigned char *data, size_t length)
{
	stint_buf_add(user, data, length);
	return 1;
}

static void emit(yaml_emitter_t *emitter, yaml_event_t *event, int initialized)
{
	if (!initialized || !yaml_emitter_emit(emitter, event))
		abort(); /* it fails for lack of memory alone: what is emitted is well-formed UTF-8 */
}

static yaml_scalar_style_t style_of(const char *text)
{
	if (strchr(text, '\n'))
		return YAML_LITERAL_SCALAR_STYLE;
	stint_auto_json *read_back = stint_scalar_resolve(text);
	return stint_json_string(read_back) ? YAML_PLAIN_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
}

/* Bytes that are no UTF-8 would stop the emitter. */
static void emit_scalar(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
	stint_auto_buf copy = {0};
	yaml_event_t event;
	stint_utf8_clean(&copy, text, strlen(text));
	emit(emitter, &event, yaml_scalar_event_initialize(&event, NULL, NULL, (unsigned char *)copy.data, (int)copy.length, 1, 1, style));
}

static void emit_node(yaml_emitter_t *emitter, const struct stint_json *json)
{
	yaml_event_t event;
	switch (stint_json_type(json)) {
	case STINT_JSON_OBJECT:
		emit(emitter, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
		stint_json_each(member, json) {
			emit_scalar(emitter, stint_json_key(member), style_of(stint_json_key(member)));
			emit_node(emitter, member);
		}
		emit(emitter, &event, yaml_mapping_end_event_initialize(&event));
		break;
	case STINT_JSON_ARRAY:
		emit(emitter, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
		stint_json_each(item, json)
			emit_node(emitter, item);
		emit(emitter, &event, yaml_sequence_end_event_initialize(&event));
		break;
	case STINT_JSON_STRING: emit_scalar(emitter, stint_json_string(json), style_of(stint_json_string(json))); break;
	default: {
		stint_autofree char *text = stint_json_print(json);
		emit_scalar(emitter, text, YAML_PLAIN_SCALAR_STYLE);
	}
	}
}

char *stint_yaml_print(const struct stint_json *json)
{
	struct stint_buf out = {0};
	yaml_emitter_t emitter;
	yaml_event_t event;
	if (!yaml_emitter_initialize(&emitter))
		abort();
	yaml_emitter_set_output(&emitter, collect, &out);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1);
	emit(&emitter, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(&emitter, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	emit_node(&emitter, json);
	emit(&emitter, &event, yaml_document_end_event_initialize(&event, 1));
	emit(&emitter, &event, yaml_stream_end_event_initialize(&event));
	yaml_emitter_delete(&emitter);
	return stint_buf_steal(&out);
}
