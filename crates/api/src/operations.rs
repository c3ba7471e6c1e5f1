//! Operations table: one row per operation. The table is the policy; no other code names a
//! permission for a route.
//!
//! A handler names its operation in the type of its first parameter,
//! [`Call<op::…>`](crate::http::Call), and the annotation of its route implements `utoipa::Path`
//! for the same type, so an operation cannot be mounted without a row. A test checks that each row
//! has a route. `openapi/operations.md` is generated from here.
//!
//! The column `records` lists the audit actions of an operation ([`Records`]): `records` for a
//! change and `discloses` for an audited read require one of them in the unit of work, `in_own_tx`
//! commits one before the response, `on_anomaly` records one only in exceptional cases. The column
//! `impersonated` is the impersonation rule ([`Impersonated`]).
//!
//! To deprecate an operation, add since, sunset and successor behind its demands:
//! `[], deprecated ((2026, 12, 1), (2027, 6, 1), "read_org");`. Its responses then have the headers
//! `Deprecation` and `Sunset`.

use postern_domain::{
    action::Action,
    operation::{Demand, Impersonated, Operation, Records},
    permission::Permission,
    scope::{self, Scope},
};

/// An operation as a type.
pub trait Op: 'static {
    type Scope: Scope;
    const ROW: &'static Operation;
}

/// An operation that records audit events in its unit of work, and so can begin one.
pub trait Recording: Op {}

macro_rules! operations {
    ($(
        $name:ident = $id:literal: $scope:ident, $needs:tt,
        $records:ident $(($($action:ident)|+))?, $impersonated:ident, [$($demand:ident)*]
        $(, deprecated $deprecated:tt)?;
    )+) => {
        /// The operations as types, for `Call<op::…>`.
        pub mod op {
            $(
                #[derive(Debug)]
                pub struct $name;
            )+
        }

        $(
            impl Op for op::$name {
                type Scope = scope::$scope;
                const ROW: &'static Operation = &Operation {
                    id: $id,
                    scope: <scope::$scope as Scope>::KIND,
                    needs: operations!(@needs $needs),
                    records: operations!(@records $records $(($($action)|+))?),
                    impersonated: Impersonated::$impersonated,
                    demands: &[$(Demand::$demand),*],
                    deprecated: operations!(@deprecated $($deprecated)?),
                };
            }
            operations!(@recording $name $records);
        )+

        /// All rows, in the order of the API document.
        pub static TABLE: &[&Operation] = &[$(<op::$name as Op>::ROW),+];
    };
    (@needs -) => { None };
    (@needs $permission:ident) => { Some(Permission::$permission) };
    (@records nothing) => { Records::Nothing };
    (@records records ($($action:ident)|+)) => { Records::Always(&[$(Action::$action),+]) };
    (@records discloses ($($action:ident)|+)) => { Records::Always(&[$(Action::$action),+]) };
    (@records in_own_tx ($($action:ident)|+)) => { Records::InOwnTx(&[$(Action::$action),+]) };
    (@records on_anomaly ($($action:ident)|+)) => { Records::OnAnomaly(&[$(Action::$action),+]) };
    (@deprecated) => { None };
    (@deprecated ($since:tt, $sunset:tt, $successor:literal)) => {
        Some(postern_domain::operation::Deprecation::new($since, $sunset, $successor))
    };
    (@recording $name:ident nothing) => {};
    (@recording $name:ident in_own_tx) => {};
    (@recording $name:ident $records:ident) => { impl Recording for op::$name {} };
}

operations! {
    // type                     id                              scope   permission            records                                        impersonated  demands
    Login                     = "login":                        Public, -,                    records(AuthLoginSucceeded | AuthLoginFailed), Allowed,      [];
    Refresh                   = "refresh":                      Public, -,                    on_anomaly(AuthRefreshReused),                 Allowed,      [];
    Logout                    = "logout":                       User,   -,                    records(AuthLoggedOut),                        Blocked,      [];
    ReadJwks                  = "read_jwks":                    Public, -,                    nothing,                                       Allowed,      [];
    ReadAuthorizationServer   = "read_authorization_server":    Public, -,                    nothing,                                       Allowed,      [];

    ReadMe                    = "read_me":                      User,   -,                    nothing,                                       Allowed,      [];
    UpdateMe                  = "update_me":                    User,   -,                    records(UserProfileUpdated),                   Write,        [];
    ChangePassword            = "change_password":              User,   -,                    records(UserPasswordChanged | AuthLoginFailed),Blocked,      [];
    ListMySessions            = "list_my_sessions":             User,   -,                    nothing,                                       Allowed,      [];
    RevokeMySession           = "revoke_my_session":            User,   -,                    records(AuthSessionRevoked),                   Blocked,      [];
    ReadMyPermissions         = "read_my_permissions":          User,   -,                    nothing,                                       Allowed,      [];

    CreateOrg                 = "create_org":                   User,   -,                    records(OrgCreated),                           Blocked,      [];
    ListMyOrgs                = "list_my_orgs":                 User,   -,                    nothing,                                       Allowed,      [];
    ReadOrg                   = "read_org":                     Org,    OrgRead,              nothing,                                       Allowed,      [];
    UpdateOrg                 = "update_org":                   Org,    OrgWrite,             records(OrgUpdated),                           Write,        [];
    DeleteOrg                 = "delete_org":                   Org,    OrgDelete,            records(OrgDeletionRequested),                 Blocked,      [];
    ReadDashboard             = "read_dashboard":               Org,    OrgRead,              nothing,                                       Allowed,      [];

    ListMembers               = "list_members":                 Org,    MembersRead,          nothing,                                       Allowed,      [];
    ReadMember                = "read_member":                  Org,    MembersRead,          nothing,                                       Allowed,      [];
    ChangeMemberRole          = "change_member_role":           Org,    MembersManage,        records(UserRoleChanged),                      Write,        [];
    RemoveMember              = "remove_member":                Org,    MembersManage,        records(UserRemoved),                          Write,        [];

    ReadSettings              = "read_settings":                Org,    SettingsRead,         nothing,                                       Allowed,      [];
    UpdateSettings            = "update_settings":              Org,    SettingsWrite,        records(SettingsUpdated),                      Write,        [];
    ListFeatures              = "list_features":                Org,    OrgRead,              nothing,                                       Allowed,      [];
    ReadFeature               = "read_feature":                 Org,    OrgRead,              nothing,                                       Allowed,      [];

    ListAuditEvents           = "list_audit_events":            Org,    AuditRead,            nothing,                                       Allowed,      [];
    ExportAuditEvents         = "export_audit_events":          Org,    AuditRead,            in_own_tx(AuditExported),                      Blocked,      [];
    ReadAuditEvent            = "read_audit_event":             Org,    AuditRead,            nothing,                                       Allowed,      [];
    StreamAuditEvents         = "stream_audit_events":          Org,    AuditRead,            nothing,                                       Blocked,      [];
    ReadLogCheckpoint         = "read_log_checkpoint":          Org,    AuditRead,            nothing,                                       Allowed,      [];
    ReadLogKeys               = "read_log_keys":                Org,    AuditRead,            nothing,                                       Allowed,      [];
    ReadLogTile               = "read_log_tile":                Org,    AuditRead,            nothing,                                       Allowed,      [];
    ReadLogEntries            = "read_log_entries":             Org,    AuditRead,            nothing,                                       Allowed,      [];
    ReadLogProof              = "read_log_proof":               Org,    AuditRead,            nothing,                                       Allowed,      [];
    ListOrgImpersonations     = "list_org_impersonations":      Org,    AuditRead,            nothing,                                       Allowed,      [];
    ReadOrgImpersonation      = "read_org_impersonation":       Org,    AuditRead,            nothing,                                       Allowed,      [];

    SearchAccounts            = "search_accounts":              Staff,  AccountsSearch,       discloses(SearchPerformed),                    Blocked,      [];
    StartImpersonation        = "start_impersonation":          Staff,  Impersonate,          records(ImpersonationStarted),                 Blocked,      [Reason Ticket IdempotencyKey];
    ListImpersonations        = "list_impersonations":          Staff,  Impersonate,          nothing,                                       Blocked,      [];
    ReadImpersonation         = "read_impersonation":           Staff,  Impersonate,          nothing,                                       Blocked,      [];
    EndImpersonation          = "end_impersonation":            Staff,  Impersonate,          records(ImpersonationEnded),                   Blocked,      [];
    ListStaff                 = "list_staff":                   Staff,  StaffManage,          nothing,                                       Blocked,      [];
    SetStaffTier              = "set_staff_tier":               Staff,  StaffManage,          records(StaffTierChanged),                     Blocked,      [Reason Ticket];
    RemoveStaff               = "remove_staff":                 Staff,  StaffManage,          records(StaffTierChanged),                     Blocked,      [Reason Ticket];
    ListPlatformAuditEvents   = "list_platform_audit_events":   Staff,  PlatformAuditReadOwn, in_own_tx(AuditViewed),                        Blocked,      [];
    ExportPlatformAuditEvents = "export_platform_audit_events": Staff,  PlatformAuditReadAll, in_own_tx(AuditExported),                      Blocked,      [];
    StreamPlatformAuditEvents = "stream_platform_audit_events": Staff,  PlatformAuditReadAll, in_own_tx(AuditViewed),                        Blocked,      [];
    ReadPlatformLogCheckpoint = "read_platform_log_checkpoint": Staff,  PlatformAuditReadAll, nothing,                                       Blocked,      [];
    ReadPlatformLogKeys       = "read_platform_log_keys":       Staff,  PlatformAuditReadAll, nothing,                                       Blocked,      [];
    ReadPlatformLogTile       = "read_platform_log_tile":       Staff,  PlatformAuditReadAll, nothing,                                       Blocked,      [];
    ReadPlatformLogEntries    = "read_platform_log_entries":    Staff,  PlatformAuditReadAll, nothing,                                       Blocked,      [];
    ReadPlatformLogProof      = "read_platform_log_proof":      Staff,  PlatformAuditReadAll, nothing,                                       Blocked,      [];
    ListAuditActions          = "list_audit_actions":           User,   -,                    nothing,                                       Allowed,      [];
    ReadPolicy                = "read_policy":                  User,   -,                    nothing,                                       Allowed,      [];

    ReadHealth                = "read_health":                  Public, -,                    nothing,                                       Allowed,      [];
    ReadReadiness             = "read_readiness":               Public, -,                    nothing,                                       Allowed,      [];
    ReadMetrics               = "read_metrics":                 Public, -,                    nothing,                                       Allowed,      [];
    ListProblems              = "list_problems":                Public, -,                    nothing,                                       Allowed,      [];
    ReadProblem               = "read_problem":                 Public, -,                    nothing,                                       Allowed,      [];
}

#[cfg(test)]
mod tests {
    use postern_domain::operation::Deprecation;

    use super::*;

    #[test]
    fn every_row_is_consistent() {
        for row in TABLE {
            let in_scope = row.needs.is_none_or(|needed| match row.scope {
                postern_domain::scope::ScopeKind::Org => needed.lowest_role().is_some(),
                postern_domain::scope::ScopeKind::Staff => needed.lowest_tier().is_some(),
                _ => false,
            });
            assert!(in_scope, "{}: permission of another scope", row.id);
            if let Some(deprecated) = row.deprecated {
                assert!(
                    (deprecated.sunset - deprecated.since).num_days() >= Deprecation::NOTICE,
                    "{}: notice period too short",
                    row.id
                );
                assert!(
                    TABLE.iter().any(|other| {
                        other.id == deprecated.successor && other.deprecated.is_none()
                    }),
                    "{}: successor missing or deprecated",
                    row.id
                );
            }
            let staff = row.scope == postern_domain::scope::ScopeKind::Staff;
            assert!(
                !staff || row.impersonated == Impersonated::Blocked,
                "{}: staff operations must be blocked under impersonation",
                row.id
            );
        }
    }
}
