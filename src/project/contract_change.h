/* contract_change.h: whether an enforced contract was broken since the state: columns gone or of another type, constraints or enforcement removed.
 *
 * As in dbt it is looked at where `state:modified` (or .contract) is selected: a versioned model fails the command, an unversioned one warns
 * (UnversionedBreakingChange). So does a contracted model that was deleted, renamed or disabled before its deprecation date. Additions break nothing; neither does another length or precision of a type.
 */
#ifndef TN_PROJECT_CONTRACT_CHANGE_H
#define TN_PROJECT_CONTRACT_CHANGE_H

#include "project/previous.h"

/* Warnings become notices of the project. */
tn_rc tn_contracts_check(tn_project *p, const tn_previous *state, tn_err *err) TN_MUSTUSE;
/* Notices of seeds larger than --maximum-seed-size-mib: whether they have changed is not known, or assumed. */
void tn_seeds_check(tn_project *p, const tn_previous *state);

#endif
