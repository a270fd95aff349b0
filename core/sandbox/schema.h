/*
 * schema: what the embedded API server knows about the fields of each kind: decoding, defaults, validation, what a write may
 * touch, patches, field ownership and OpenAPI, all from one table of types (core/sandbox/schema/).
 *
 * Everything here is a pure function over trees: no clock, no randomness, no store. Time stamps and generated values are given by
 * the caller. A schema is immutable but for the kinds that CustomResourceDefinitions add and remove; one thread uses it.
 *
 * A refusal is a whole metav1.Status object in *status (owned by the caller, ready to be sent; its "code" is the HTTP status), not
 * a struct stint_error: a Kubernetes client needs the reason, the details and the causes. *status is written only on refusal.
 *
 * The order in which a write passes through:
 *   create  read -> default -> track(live NULL) -> prepare_create -> validate_create -> store
 *   update  read -> default -> prepare_update -> validate_update -> track -> store
 *   patch   patch_* on a copy of the live object -> decode_patched -> default -> prepare_update -> ...
 *   apply   decode_applied of the body -> apply -> default -> prepare_* -> validate_* -> store
 */
#ifndef STINT_SANDBOX_SCHEMA_H
#define STINT_SANDBOX_SCHEMA_H

#include <stint/text.h>

struct stint_schema;
struct stint_type;

/* Subresources that a kind serves. */
enum {
	STINT_SUB_STATUS = 1 << 0,
	STINT_SUB_SCALE = 1 << 1,
	STINT_SUB_BINDING = 1 << 2,
	STINT_SUB_EVICTION = 1 << 3,
	STINT_SUB_LOG = 1 << 4,
	STINT_SUB_EXEC = 1 << 5, /* exec, attach and portforward */
	STINT_SUB_FINALIZE = 1 << 6,
	STINT_SUB_TOKEN = 1 << 7,
	STINT_SUB_EPHEMERAL = 1 << 8, /* ephemeralcontainers */
	STINT_SUB_RESIZE = 1 << 9,
	STINT_SUB_PROXY = 1 << 10,
	STINT_SUB_APPROVAL = 1 << 11,
};

/* Row of the table of kinds. Strings live as long as the schema; a custom kind that was removed keeps its memory until then. */
struct stint_kind {
	const char *group; /* "" for the core group */
	const char *version; /* "v1" */
	const char *api_version; /* "v1", "apps/v1" */
	const char *kind;
	const char *list_kind;
	const char *plural; /* NULL for kinds that are never a resource of their own (Scale, DeleteOptions, Status, Eviction) */
	const char *singular;
	const char *const *short_names; /* NULL-ended, never NULL */
	const char *const *categories; /* NULL-ended, never NULL */
	const char *schema_name; /* "io.k8s.api.core.v1.Pod" */
	const struct stint_type *type;
	const struct stint_json *definition; /* of a custom kind: its version in the CustomResourceDefinition; NULL: built in */
	unsigned subresources; /* STINT_SUB_* */
	bool namespaced;
	bool virtual_create; /* answers a create and stores nothing: reviews and bindings */
	bool custom; /* no strategic merge patch; strict about resourceVersion on PUT */
	bool removed; /* its CustomResourceDefinition has gone */
};

struct stint_schema *stint_schema_new(void);
void stint_schema_free(struct stint_schema *schema);

/* NULL when there is no such kind. Look-ups leave removed kinds out. */
const struct stint_kind *stint_schema_kind(const struct stint_schema *schema, const char *api_version, const char *kind);
const struct stint_kind *stint_schema_resource(
	const struct stint_schema *schema, const char *group, const char *version, const char *plural);
/* All kinds in table order, removed ones included; the array may move when a custom kind is added. */
const struct stint_kind *const *stint_schema_kinds(const struct stint_schema *schema, size_t *count);

/* Makes the served versions of a CustomResourceDefinition (already validated) known, or replaces what an older one said. */
bool stint_schema_custom_add(struct stint_schema *schema, const struct stint_json *definition, struct stint_json **status);
void stint_schema_custom_remove(struct stint_schema *schema, const struct stint_json *definition);

/* ---- Status objects -------------------------------------------------------------------------------------------------------- */

/* A Failure. kind may be NULL (no details); causes is an array of {reason, message, field} and is taken over, or NULL. */
struct stint_json *stint_status_new(int code, const char *reason, const struct stint_kind *kind, const char *name,
	struct stint_json *causes, const char *format, ...) STINT_PRINTF(6, 7);
/* Adds one cause of a 422: reason is FieldValueInvalid, FieldValueRequired, FieldValueForbidden, FieldValueDuplicate, FieldValueNotSupported... */
void stint_cause_add(struct stint_json *causes, const char *reason, const char *field, const char *format, ...) STINT_PRINTF(4, 5);
/* The 422 Invalid that the causes (taken over) make: `Pod "x" is invalid: spec.y: Required value`. NULL when there is none. */
struct stint_json *stint_status_invalid(const struct stint_kind *kind, const char *name, struct stint_json *causes);

/* ---- decoding -------------------------------------------------------------------------------------------------------------- */

enum stint_field_validation { STINT_FIELDS_WARN, STINT_FIELDS_IGNORE, STINT_FIELDS_STRICT };
/* The query parameter; NULL or "" is Warn. False for another word (the caller answers 422). */
bool stint_field_validation_parse(const char *text, enum stint_field_validation *out);

/*
 * Bytes of a request body (JSON, or YAML when yaml) to a clean object of that kind: parsed, apiVersion and kind checked against the
 * path's (or filled in where the body has none), then as stint_schema_decode. NULL on refusal (400). *warnings (may be NULL) gets an
 * array of sentences for Warning headers, or stays NULL.
 */
struct stint_json *stint_schema_read(const struct stint_schema *schema, const struct stint_kind *kind, const char *data, size_t length,
	bool yaml, enum stint_field_validation validation, struct stint_json **warnings, struct stint_json **status);
/*
 * Checks types, drops unknown fields and nulls, writes quantities, times and empty values the way a real server stores them.
 * Changes object in place.
 */
bool stint_schema_decode(const struct stint_schema *schema, const struct stint_kind *kind, struct stint_json *object,
	enum stint_field_validation validation, struct stint_json **warnings, struct stint_json **status);
/* The same for the outcome of a patch, where a wrong type is 422 and names the patch. */
bool stint_schema_decode_patched(const struct stint_schema *schema, const struct stint_kind *kind, struct stint_json *object,
	const struct stint_json *patch, enum stint_field_validation validation, struct stint_json **warnings, struct stint_json **status);

/*
 * The same for the body of an apply, which must name its kind and fit its types exactly: 400 for another kind, 500 for an unknown field,
 * a wrong type or two items with the same key.
 */
bool stint_schema_decode_applied(const struct stint_schema *schema, const struct stint_kind *kind, struct stint_json *config,
	enum stint_field_validation validation, struct stint_json **warnings, struct stint_json **status);

/* ---- what a write means ---------------------------------------------------------------------------------------------------- */

void stint_schema_default(const struct stint_schema *schema, const struct stint_kind *kind, struct stint_json *object);

/*
 * A new object before validation: status dropped where the kind says so, generation set, generated labels and selectors of Jobs
 * (metadata.uid and creationTimestamp must be there), deletionTimestamp and the like cleared.
 */
void stint_schema_prepare_create(const struct stint_schema *schema, const struct stint_kind *kind, struct stint_json *object);
bool stint_schema_validate_create(const struct stint_schema *schema, const struct stint_kind *kind, const struct stint_json *object,
	struct stint_json **warnings, struct stint_json **status);
/*
 * subresource: NULL for the main resource, else "status", "finalize", "ephemeralcontainers", ... Puts back from old what this write
 * may not touch (status or spec, uid, creationTimestamp, deletionTimestamp, ...) and grows metadata.generation where the kind does.
 * Does not compare resourceVersions: that is the store's.
 */
void stint_schema_prepare_update(const struct stint_schema *schema, const struct stint_kind *kind, const char *subresource,
	const struct stint_json *old, struct stint_json *object);
bool stint_schema_validate_update(const struct stint_schema *schema, const struct stint_kind *kind, const char *subresource,
	const struct stint_json *old, const struct stint_json *object, struct stint_json **warnings, struct stint_json **status);

/* ---- patches --------------------------------------------------------------------------------------------------------------- */

/* Each changes object in place; after a refusal its content is undefined, so patch a copy. */
bool stint_patch_merge(struct stint_json *object, const struct stint_json *patch); /* RFC 7386; false when the patch is no object */
bool stint_patch_json(struct stint_json *object, const struct stint_json *operations, const struct stint_kind *kind, const char *name,
	struct stint_json *
		*status); /* RFC 6902; at most 10,000 operations. 400 for a broken document, 422 for a failed test or a missing path */
bool stint_patch_strategic(const struct stint_schema *schema, const struct stint_kind *kind, struct stint_json *object,
	const struct stint_json *patch, struct stint_json **status);

/* ---- field ownership (managedFields) and server-side apply ------------------------------------------------------------------ */

struct stint_writer {
	const char *manager; /* query parameter fieldManager, else the user agent up to the first "/"; at most 128 characters */
	const char *subresource; /* NULL for the main resource */
	const char *time; /* RFC 3339, now */
};

/*
 * After an ordinary write: fields that object sets otherwise than live (NULL for a create) go to the writer as operation Update and
 * leave everybody else; fields that have gone leave all. A body that brings `managedFields: [{}]` resets the record.
 * A real server records before it generates (Job selectors, cluster IPs): so call this before stint_schema_prepare_create.
 */
void stint_schema_track(const struct stint_schema *schema, const struct stint_kind *kind, const struct stint_json *live,
	struct stint_json *object, const struct stint_writer *writer);

/*
 * Server-side apply: merges config (decoded, without defaults) into live (NULL: a new object). Fields that the manager applied before
 * and config has no longer are removed unless somebody else owns them. A field that another manager set to something else is a
 * conflict (409 with causes FieldManagerConflict) unless force. Returns a new object with its managedFields; NULL on refusal.
 */
struct stint_json *stint_schema_apply(const struct stint_schema *schema, const struct stint_kind *kind, const struct stint_json *live,
	const struct stint_json *config, const struct stint_writer *writer, bool force, struct stint_json **status);

/* True when two states of an object differ in nothing but metadata.managedFields' times and resourceVersion: such a write is none. */
bool stint_schema_same(const struct stint_json *a, const struct stint_json *b);

/* ---- OpenAPI --------------------------------------------------------------------------------------------------------------- */

struct stint_json *stint_openapi_index(const struct stint_schema *schema); /* GET /openapi/v3 */
struct stint_json *stint_openapi_v3(
	const struct stint_schema *schema, const char *group_version_path); /* "api/v1", "apis/apps/v1"; NULL: none such */
struct stint_json *stint_openapi_v2(const struct stint_schema *schema); /* GET /openapi/v2 as JSON */

#endif
