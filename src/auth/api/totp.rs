//! The fields of the second factor.

use async_graphql::{Context, Object, SimpleObject};
use secrecy::ExposeSecret;

use super::auth;
use crate::{
    auth::second_factor::{
        ConfirmTotpInput, DisableTotpInput, EnableTotpInput, RegenerateRecoveryCodesInput,
        confirm_totp, disable_totp, enable_totp, regenerate_recovery_codes,
    },
    error::Result,
    graphql::{
        ContextExt,
        errors::{UserError, settle},
        user::User,
    },
};

/// What came of beginning to switch the second factor on.
#[derive(Default, SimpleObject)]
pub(super) struct EnableTotpPayload {
    /// The secret in base32, to be typed into an authenticator app. Shown this once.
    secret: Option<String>,
    /// The same as an `otpauth:` address, to be shown as a QR code. Shown this once.
    uri: Option<String>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What came of switching the second factor on.
#[derive(Default, SimpleObject)]
pub(super) struct ConfirmTotpPayload {
    /// The person, whose second factor is on now; absent if something was refused.
    user: Option<User>,
    /// Ten codes, each of which stands in once for the app. Shown this once: have the person put them away.
    recovery_codes: Option<Vec<String>>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What came of switching the second factor off.
#[derive(Default, SimpleObject)]
pub(super) struct DisableTotpPayload {
    /// The person, whose second factor is off now; absent if something was refused.
    user: Option<User>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// What came of asking for new recovery codes.
#[derive(Default, SimpleObject)]
pub(super) struct RegenerateRecoveryCodesPayload {
    /// Ten new codes; the old ones are void. Shown this once.
    recovery_codes: Option<Vec<String>>,
    /// What was refused, and why; empty if all went well.
    user_errors: Vec<UserError>,
}

/// The second factor.
#[derive(Debug, Default)]
pub(crate) struct SecondFactorMutation;

/// The second factor.
#[Object]
impl SecondFactorMutation {
    /// Begins to switch the second factor on: makes a secret for an authenticator app. It counts once `confirmTotp` has
    /// got a code that the app made of it; until then, asking again makes another.
    async fn enable_totp(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password.")] input: EnableTotpInput,
    ) -> Result<EnableTotpPayload> {
        let begun = enable_totp(auth(ctx), ctx.viewer()?, input, &ctx.client()).await;
        let payload = begun.map(|begun| EnableTotpPayload {
            secret: Some(begun.secret.expose_secret().to_owned()),
            uri: Some(begun.uri.expose_secret().to_owned()),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| EnableTotpPayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Switches the second factor on. From the next sign-in, a code is asked for beside the password.
    async fn confirm_totp(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A code of the app.")] input: ConfirmTotpInput,
    ) -> Result<ConfirmTotpPayload> {
        let done = confirm_totp(auth(ctx), ctx.viewer()?, input, &ctx.client()).await;
        let payload = done.map(|(user, recovery_codes)| ConfirmTotpPayload {
            user: Some(user.into()),
            recovery_codes: Some(recovery_codes),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| ConfirmTotpPayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Switches the second factor off, and voids the recovery codes.
    async fn disable_totp(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password, or a code.")] input: DisableTotpInput,
    ) -> Result<DisableTotpPayload> {
        let user = disable_totp(auth(ctx), ctx.viewer()?, input, &ctx.client()).await;
        let payload = user.map(|user| DisableTotpPayload {
            user: Some(user.into()),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| DisableTotpPayload {
            user_errors,
            ..Default::default()
        })
    }

    /// Makes ten new recovery codes in the place of the old ones.
    async fn regenerate_recovery_codes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Your password, or a code.")] input: RegenerateRecoveryCodesInput,
    ) -> Result<RegenerateRecoveryCodesPayload> {
        let codes = regenerate_recovery_codes(auth(ctx), ctx.viewer()?, input, &ctx.client()).await;
        let payload = codes.map(|codes| RegenerateRecoveryCodesPayload {
            recovery_codes: Some(codes),
            user_errors: Vec::new(),
        });
        settle(payload, |user_errors| RegenerateRecoveryCodesPayload {
            user_errors,
            ..Default::default()
        })
    }
}
