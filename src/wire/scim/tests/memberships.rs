//! Keeping memberships in step with the claims.

use super::*;
use http::Method;

fn with_groups(managed: &[&str]) -> ScimTerms {
    let managed = managed.iter().map(|name| (*name).to_owned()).collect();
    ScimTerms { groups: Some(GroupTerms { managed }), ..terms() }
}

fn member_of(groups: Value) -> Newcomer {
    newcomer(json!({"userName": "jane", "groups": groups}))
}

/// A directory that knows jane as `u`, with groups and their members.
fn known(groups: &[(&str, &[&str])]) -> Directory {
    let members = |ids: &[&str]| ids.iter().map(|id| json!({"value": id})).collect::<Value>();
    let group = |(name, ids): &(&str, &[&str])| json!({"id": format!("g-{name}"), "displayName": name, "members": members(ids)});
    let groups = groups.iter().map(group).collect();
    let jane = json!({"id": "u", "externalId": "idp|jane", "userName": "jane"});
    Directory { users: vec![jane], groups, ..Directory::default() }
}

fn members(directory: &Directory, name: &str) -> Vec<String> {
    let group = directory.groups.iter().find(|group| group["displayName"] == name).expect("it is there");
    let members = group["members"].as_array().cloned().unwrap_or_default();
    members.iter().map(|it| it["value"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn somebody_new_is_put_into_groups_that_are_not_in_the_user() {
    let mut directory = known(&[("staff", &["x"]), ("other", &[])]);
    directory.users.clear();
    let newcomer = member_of(json!(["staff", "staff"]));
    let (answer, conversation) = talk(&mut directory, &with_groups(&["other"]), &newcomer, usual());
    assert_eq!((answer, conversation.snags()), (active("users1"), &[][..]));
    assert_eq!(members(&directory, "staff"), ["x", "users1"]);
    assert_eq!(directory.users[0].get("groups"), None);
    assert_eq!(directory.steps(), ["GET Users", "POST Users", "GET Groups", "PATCH Groups/g-staff"]);
}

#[test]
fn one_name_alone_is_a_list_of_one() {
    let mut directory = known(&[("staff", &[])]);
    talk(&mut directory, &with_groups(&[]), &member_of(json!("staff")), usual());
    assert_eq!(members(&directory, "staff"), ["u"]);
}

#[test]
fn a_group_that_is_not_there_is_not_made() {
    let mut directory = known(&[("other", &[])]);
    let newcomer = member_of(json!(["staff", "other"]));
    let (answer, conversation) = talk(&mut directory, &with_groups(&["staff"]), &newcomer, usual());
    assert_eq!((answer, conversation.snags()), (active("u"), &[Snag::Memberships][..]));
    assert_eq!(directory.groups.len(), 1);
    assert_eq!(members(&directory, "other"), ["u"], "the others are kept");
}

#[test]
fn only_managed_groups_are_left() {
    for tells_memberships in [true, false] {
        let mut directory = known(&[("staff", &["u"]), ("admins", &["x", "u"]), ("choir", &["u"])]);
        directory.tells_memberships = tells_memberships;
        let newcomer = member_of(json!(["staff"]));
        let terms = with_groups(&["staff", "admins", "gone"]);
        let (answer, conversation) = talk(&mut directory, &terms, &newcomer, usual());
        assert_eq!((answer, conversation.snags()), (active("u"), &[][..]));
        assert_eq!(members(&directory, "admins"), ["x"]);
        assert_eq!(members(&directory, "choir"), ["u"], "it is somebody else's");
        assert!(members(&directory, "staff").contains(&"u".to_owned()));
    }
}

#[test]
fn memberships_that_the_account_tells_cost_nothing() {
    let mut directory = known(&[("staff", &["u"])]);
    directory.tells_memberships = true;
    talk(&mut directory, &with_groups(&["staff"]), &member_of(json!(["staff"])), usual());
    assert_eq!(directory.steps(), ["GET Users"]);
}

#[test]
fn who_loses_a_group_loses_it_before_getting_another() {
    let mut directory = known(&[("staff", &[]), ("admins", &["u"])]);
    directory.tells_memberships = true;
    talk(&mut directory, &with_groups(&["admins"]), &member_of(json!(["staff"])), usual());
    assert_eq!(
        directory.steps(),
        ["GET Users", "PATCH Groups/g-admins", "GET Groups", "PATCH Groups/g-staff"]
    );
}

#[test]
fn without_the_claim_nobody_leaves_a_group() {
    for (mapped, snags) in [
        (json!({}), vec![]),
        (json!({"groups": {"a": 1}}), vec![Snag::Memberships]),
        (json!({"groups": ["a", 7]}), vec![Snag::Memberships]),
        (json!({"groups": [""]}), vec![Snag::Memberships]),
    ] {
        let mut directory = known(&[("staff", &["u"])]);
        directory.tells_memberships = true;
        let (answer, conversation) =
            talk(&mut directory, &with_groups(&["staff"]), &newcomer(mapped), usual());
        assert_eq!((answer, conversation.snags()), (active("u"), &snags[..]));
        assert_eq!(members(&directory, "staff"), ["u"]);
    }
    let mut directory = known(&[("staff", &["u"])]);
    directory.tells_memberships = true;
    talk(&mut directory, &with_groups(&["staff"]), &member_of(json!([])), usual());
    assert!(members(&directory, "staff").is_empty(), "a list of none says that there are none");
}

#[test]
fn groups_for_new_accounts_are_left_alone_where_there_is_one() {
    let mut newcomer = member_of(json!(["staff"]));
    newcomer.initial = vec!["groups".into()];
    let mut directory = known(&[("staff", &[]), ("admins", &["u"])]);
    talk(&mut directory, &with_groups(&["admins"]), &newcomer, usual());
    assert_eq!(directory.steps(), ["GET Users"]);
    directory.users.clear();
    talk(&mut directory, &with_groups(&["admins"]), &newcomer, usual());
    assert_eq!(members(&directory, "staff"), ["users1"]);
}

#[test]
fn of_two_groups_of_one_name_neither_is_touched() {
    let mut directory = known(&[("staff", &[]), ("staff", &[]), ("other", &[])]);
    let newcomer = member_of(json!(["staff", "other"]));
    let (answer, conversation) = talk(&mut directory, &with_groups(&[]), &newcomer, usual());
    assert_eq!((answer, conversation.snags()), (active("u"), &[Snag::Memberships][..]));
    assert!(members(&directory, "staff").is_empty());
    assert_eq!(members(&directory, "other"), ["u"]);
}

#[test]
fn a_group_whose_name_is_only_like_it_is_another() {
    let like = reply(200, json!({"totalResults": 1, "Resources": [{"id": "1", "displayName": "Admins"}]}));
    let mut directory = known(&[]).says(Method::GET, "Groups", like);
    let (_, conversation) = talk(&mut directory, &with_groups(&[]), &member_of(json!(["admins"])), usual());
    assert_eq!(conversation.snags(), [Snag::Memberships]);
    assert_eq!(directory.steps(), ["GET Users", "GET Groups"]);
}

#[test]
fn who_is_no_member_any_more_has_left() {
    let none = reply(400, json!({"scimType": "noTarget"}));
    let mut directory = known(&[("staff", &[])]).says(Method::PATCH, "Groups", none);
    let terms = with_groups(&["staff"]);
    assert_eq!(talk(&mut directory, &terms, &member_of(json!([])), usual()).1.snags(), []);
}

#[test]
fn a_directory_that_cannot_change_groups_now_keeps_the_account_for_a_short_time() {
    let mut directory = known(&[("staff", &[]), ("b", &[])]).says(Method::PATCH, "Groups", reply(503, ""));
    let newcomer = member_of(json!(["staff", "b"]));
    let (answer, conversation) = talk(&mut directory, &with_groups(&[]), &newcomer, usual());
    assert_eq!((answer, conversation.snags()), (late("u", 60), &[Snag::Late][..]));
    assert_eq!(directory.asked.len(), 3, "it is not asked any more");
}

#[test]
fn without_patch_groups_are_left_alone() {
    let mut directory = known(&[("staff", &[])]);
    let newcomer = member_of(json!(["staff"]));
    let (answer, conversation) = talk(&mut directory, &with_groups(&[]), &newcomer, can(false, true, true));
    assert_eq!((answer, conversation.snags()), (active("u"), &[Snag::Memberships][..]));
    assert_eq!(directory.steps(), ["GET Users"]);
}

#[test]
fn one_account_is_put_into_so_many_groups_at_once() {
    let names: Vec<_> = (0..30).map(|n| format!("g{n}")).collect();
    let groups: Vec<_> = names.iter().map(|name| (name.as_str(), &[][..])).collect();
    let managed: Vec<_> = (0..30).map(|n| format!("managed{n}")).collect();
    let managed: Vec<_> = managed.iter().map(String::as_str).collect();
    for managed in [&[][..], &managed[..]] {
        let mut directory = known(&groups);
        let (answer, conversation) =
            talk(&mut directory, &with_groups(managed), &member_of(json!(names)), usual());
        assert_eq!((answer, conversation.snags()), (active("u"), &[Snag::Memberships][..]));
        let joined = directory.groups.iter().filter(|group| group["members"] != json!([])).count();
        assert_eq!(joined, 20, "however many it is to be taken out of");
    }
}
