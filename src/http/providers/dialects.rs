//! What a provider account may speak, and what each dialect lets it choose.

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use pitboss_providers::{Allowed, DIALECTS, Dialect, Setting};
use pitboss_wallet::Policy;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    access::Resource,
    http::{
        List,
        auth::Operator,
        route::{Route, get},
    },
};

pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/v1/dialects", Resource::Providers, list)
            .summary("Lists the dialects: the wire formats that provider accounts may speak")
            .answers::<List<'_, View>>(200),
    ]
}

/// A wire format of providers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Dialect")]
struct View {
    /// By this name a provider account chooses it.
    name: &'static str,
    /// Whether the provider gives the callback secret (such as his public key): it has to be sent when an account is
    /// made. Otherwise it may be.
    secret_is_given: bool,
    /// What an account may choose, by name.
    settings: BTreeMap<&'static str, SettingView>,
    /// The choices of an account that makes none.
    policy: Policy,
}

/// A choice of an account.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DialectSetting")]
struct SettingView {
    /// What it is, for a person.
    meaning: &'static str,
    /// The value of an account that makes no choice.
    default: &'static str,
    /// The values that there are; null: a text.
    allowed: Option<&'static [&'static str]>,
}

impl View {
    fn of(dialect: &'static dyn Dialect) -> Self {
        let settings = dialect.settings().iter();
        Self {
            name: dialect.name(),
            secret_is_given: dialect.key_is_given(),
            settings: settings
                .map(|one| (one.name, SettingView::of(one)))
                .collect(),
            policy: dialect.default_policy(),
        }
    }
}

impl SettingView {
    const fn of(setting: &'static Setting) -> Self {
        Self {
            meaning: setting.meaning,
            default: setting.default,
            allowed: match setting.allowed {
                Allowed::OneOf(values) => Some(values),
                Allowed::Text(_) => None,
            },
        }
    }
}

/// `GET /v1/dialects`
async fn list(_: Operator) -> HttpResponse {
    let views: Vec<View> = DIALECTS.iter().map(|dialect| View::of(*dialect)).collect();
    HttpResponse::Ok().json(List {
        data: &views,
        next: None,
    })
}
