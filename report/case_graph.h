/*
 * The graph of a CASE/UCO document (JSON-LD): objects, their facets, hashes and relationships. Each
 * has an identifier that the same image always gets.
 */
#ifndef EXHIBIT_REPORT_CASE_GRAPH_H
#define EXHIBIT_REPORT_CASE_GRAPH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct case_graph;

/* `seed` says which image it is. */
struct case_graph *case_graph_new(const char *seed);
/* The document; a new reference. Ends the graph. */
json_t *case_graph_finish(struct case_graph *g, const char *name, const char *created);

/* A new object of a class of UCO ("uco-observable:Device"); the reference is the graph's. `key`
   tells it from others of the class. */
json_t *case_object(struct case_graph *g, const char *type, const char *key);
/* A facet of the object. */
json_t *case_facet(struct case_graph *g, json_t *object, const char *type);
/* A hash of a facet; what is not hexadecimal is left out. */
void case_hash(struct case_graph *g, json_t *facet, const char *method, const char *hex);
/* "source is Contained_Within target" and the like. */
void case_relate(struct case_graph *g, const json_t *source, const char *kind,
                 const json_t *target);

/* Properties. NULL and what does not fit the type is left out. A text that is no xsd:string
   (bad UTF-8, control characters) has its exact bytes beside it, outside the graph, as NAME_base64.
 */
void case_text(json_t *object, const char *property, const char *s);
void case_number(json_t *object, const char *property, uint64_t n);
void case_time(json_t *object, const char *property, const char *s);
void case_bool(json_t *object, const char *property, bool v);
/* Adds a link to another object to the property's list. */
void case_link(json_t *object, const char *property, const json_t *target);

#endif
