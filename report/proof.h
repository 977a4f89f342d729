/*
 * Who signed the manifest, when it was stamped, and whether its ledger holds together: judged for
 * the report, as facts like any other.
 */
#ifndef EXHIBIT_REPORT_PROOF_H
#define EXHIBIT_REPORT_PROOF_H

#include "common/proof.h"
#include "report/model.h"

/* Judges what lies beside the manifest of that stem (DEST) and puts it into r->facts as "proof": {
   signatures: [ { file, status, signer, issuer, signing_time, detail } … ], timestamp: { file,
   status, authority, time, serial, detail } or null, ledger: { file, status, events, head, detail }
   or null }. status is "trusted", "intact" (nobody was named to trust) or "failed"; a ledger is
   "whole" or "broken". What failed is a finding as well. */
void proof_judge(struct report *r, const char *stem, const struct trust *trust);

#endif
