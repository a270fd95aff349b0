/*
 * What the files behind api.h share. Functions here take a non-NULL *status; the public ones in api.h take NULL too.
 */
#ifndef STINT_SANDBOX_API_INTERNAL_H
#define STINT_SANDBOX_API_INTERNAL_H

#include "api.h"

/* api.c */
const char *stint_api_manager(const struct stint_api_call *call);
bool stint_api_not_found(const struct stint_api_call *call, struct stint_json **status);
bool stint_api_conflict(const struct stint_api_call *call, struct stint_json **status, const char *format, ...) STINT_PRINTF(3, 4);
/* A 409: what ("UID", "ResourceVersion") of the caller's is not the object's. */
bool stint_api_foreign(const struct stint_api_call *call, const char *what, const char *wanted, const char *is, struct stint_json **status);
/* The same as a deletion words it. */
bool stint_api_mismatch(const struct stint_api_call *call, const char *what, const char *wanted, const char *is, const char *perhaps,
	struct stint_json **status);
bool stint_api_bad(struct stint_json **status, const char *format, ...) STINT_PRINTF(2, 3);
bool stint_api_invalid(const struct stint_api_call *call, struct stint_json **status, const char *cause, const char *field,
	const char *format, ...) STINT_PRINTF(5, 6);
/* A Success; code 0 is left out. */
struct stint_json *stint_status_success(int code);
/* An object is at most as large as a real server's storage takes one: what patches add up to is bounded, too. */
bool stint_api_fits(const struct stint_json *object, struct stint_json **status);
/* Hands the refusal over to who asked, or frees it. */
void stint_api_tell(struct stint_json **status, struct stint_json **refusal);

/* forms.c: an object in the form of `kind`, from and to the form in which it is stored. */
struct stint_json *stint_form_read(const struct stint_kind *kind, const struct stint_stored *stored);
void stint_form_store(const struct stint_api *api, const struct stint_kind *kind, struct stint_json *object);

/* api_create.c. track: the object has no managedFields of this write yet. */
bool stint_api_create_checked(struct stint_api *api, const struct stint_api_call *call, struct stint_json *object, bool track,
	struct stint_json **out, struct stint_json **status);

/* api_update.c: writes `object` (taken over) in place of `stored`, whose tree is old. */
bool stint_api_commit(struct stint_api *api, const struct stint_api_call *call, struct stint_stored *stored, const struct stint_json *old,
	struct stint_json *object, bool track, struct stint_json **out, struct stint_json **status);

/* admission.c: what the API server's built-in admission does. */
bool stint_admit_create(struct stint_api *api, const struct stint_api_call *call, struct stint_json *object, struct stint_json **status);
bool stint_admit_update(struct stint_api *api, const struct stint_api_call *call, const struct stint_json *old, struct stint_json *object,
	struct stint_json **status);

/* Subresources with rules of their own. object is taken over. */
bool stint_api_bind(struct stint_api *api, const struct stint_api_call *call, struct stint_json *binding, struct stint_json **out,
	struct stint_json **status);
bool stint_api_evict(struct stint_api *api, const struct stint_api_call *call, struct stint_json *eviction, struct stint_json **out,
	struct stint_json **status);
/* A Scale object of the live object; NULL: 404. */
struct stint_json *stint_scale_read(struct stint_api *api, const struct stint_api_call *call, struct stint_json **status);
bool stint_scale_write(struct stint_api *api, const struct stint_api_call *call, struct stint_json *scale, struct stint_json **out,
	struct stint_json **status);

#endif
