/*
 * From the tree to bytes: compact, or indented by four spaces as kubectl -o json prints. Bytes above 0x7f pass as they are.
 * Recursion is bounded by the depth that readers allow and by what our own builders nest.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include <stint/text.h>

struct printer {
	struct stint_buf *out;
	bool pretty;
};

static void put_string(struct stint_buf *out, const char *text)
{
	static const char escapes[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";
	stint_buf_putc(out, '"');
	for (const char *at = text; *at;) {
		const char *plain = at;
		while ((unsigned char)*at >= 0x20 && *at != '"' && *at != '\\')
			at++;
		stint_buf_add(out, plain, (size_t)(at - plain));
		if (!*at)
			break;
		const char *found = strchr(escapes, *at);
		if (found)
			stint_buf_add(out, (const char[]){'\\', letters[found - escapes]}, 2);
		else
			stint_buf_printf(out, "\\u%04x", (unsigned int)(unsigned char)*at);
		at++;
	}
	stint_buf_putc(out, '"');
}

/* The shortest text that reads back as the same double. */
static void put_number(struct stint_buf *out, double value)
{
	char text[32];
	if (!isfinite(value)) {
		stint_buf_puts(out, "null");
		return;
	}
	if (value == floor(value) && fabs(value) < 1e16) {
		snprintf(text, sizeof(text), "%.0f", value);
	} else {
		for (int digits = 15; digits <= 17; digits++) {
			snprintf(text, sizeof(text), "%.*g", digits, value);
			double back = strtod(text, NULL);
			if (back >= value && back <= value)
				break;
		}
	}
	stint_buf_puts(out, text);
}

static void new_line(const struct printer *p, int depth)
{
	if (!p->pretty)
		return;
	stint_buf_putc(p->out, '\n');
	for (int i = 0; i < depth; i++)
		stint_buf_add(p->out, "    ", 4);
}

static void put_value(const struct printer *p, const cJSON *item, int depth);

static void put_container(const struct printer *p, const cJSON *container, int depth, bool object)
{
	stint_buf_putc(p->out, object ? '{' : '[');
	for (const cJSON *item = container->child; item; item = item->next) {
		if (item != container->child)
			stint_buf_putc(p->out, ',');
		new_line(p, depth + 1);
		if (object) {
			put_string(p->out, item->string);
			stint_buf_puts(p->out, p->pretty ? ": " : ":");
		}
		put_value(p, item, depth + 1);
	}
	if (container->child)
		new_line(p, depth);
	stint_buf_putc(p->out, object ? '}' : ']');
}

static void put_value(const struct printer *p, const cJSON *item, int depth)
{
	switch (item->type & 0xff) {
	case cJSON_False: stint_buf_puts(p->out, "false"); break;
	case cJSON_True: stint_buf_puts(p->out, "true"); break;
	case cJSON_Number: put_number(p->out, item->valuedouble); break;
	case cJSON_Raw: stint_buf_puts(p->out, item->valuestring); break;
	case cJSON_String: put_string(p->out, item->valuestring); break;
	case cJSON_Array: put_container(p, item, depth, false); break;
	case cJSON_Object: put_container(p, item, depth, true); break;
	default: stint_buf_puts(p->out, "null"); break;
	}
}

void stint_json_print_to(struct stint_buf *buf, const struct stint_json *json)
{
	struct printer p = {buf, false};
	if (json)
		put_value(&p, (const cJSON *)json, 0);
	else
		stint_buf_puts(buf, "null");
}

char *stint_json_print(const struct stint_json *json)
{
	struct stint_buf buf = {0};
	stint_json_print_to(&buf, json);
	return stint_buf_steal(&buf);
}

char *stint_json_print_pretty(const struct stint_json *json)
{
	struct stint_buf buf = {0};
	struct printer p = {&buf, true};
	put_value(&p, (const cJSON *)json, 0);
	return stint_buf_steal(&buf);
}
