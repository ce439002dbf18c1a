//! Who may log in: what a server asks before it lets anybody in.

use crate::database::Database;
use crate::error::Result;
use godb_sql::Role;

impl Database {
    /// All roles: also those that cannot log in.
    pub fn roles(&self) -> Result<Vec<Role>> {
        Ok(self.instance().sql().roles()?)
    }

    /// The role of that name; `None` when there is none.
    pub fn role(&self, name: &str) -> Result<Option<Role>> {
        Ok(self.instance().sql().role(name)?)
    }

    /// Whether anybody who may log in has a password. As long as nobody has, there is nothing that could be asked for.
    pub fn has_passwords(&self) -> Result<bool> {
        let roles = self.roles()?;
        Ok(roles.iter().any(|role| role.login && role.verifier.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use crate::Database;

    #[test]
    fn roles_are_listed_for_who_lets_them_in() {
        let db = Database::in_memory().unwrap();
        assert!(!db.has_passwords().unwrap());
        assert!(db.role("godb").unwrap().unwrap().superuser);
        db.execute("CREATE ROLE staff CONNECTION LIMIT 3", &[]).unwrap();
        db.execute("CREATE USER ada VALID UNTIL '2030-01-01'", &[])
            .unwrap();
        let names: Vec<String> = db.roles().unwrap().into_iter().map(|role| role.name).collect();
        assert_eq!(names, ["ada", "godb", "staff"]);
        let (ada, staff) = (
            db.role("ada").unwrap().unwrap(),
            db.role("staff").unwrap().unwrap(),
        );
        assert!(ada.login && !staff.login && staff.connection_limit == 3 && ada.valid_until.is_some());
        assert_eq!(db.role("nobody").unwrap(), None);
    }

    #[cfg(feature = "passwords")]
    #[test]
    fn a_password_is_stored_as_what_proves_it() {
        use crate::Verifier;
        let db = Database::in_memory().unwrap();
        db.execute("CREATE USER ada PASSWORD 'secret'", &[]).unwrap();
        assert!(db.has_passwords().unwrap());
        let stored = db.role("ada").unwrap().unwrap().verifier.unwrap();
        let verifier = Verifier::parse(&stored).unwrap();
        assert_eq!(
            Verifier::new("secret", verifier.salt.clone(), verifier.iterations),
            verifier
        );
        db.execute(&format!("CREATE USER twin PASSWORD '{stored}'"), &[])
            .unwrap();
        assert_eq!(db.role("twin").unwrap().unwrap().verifier, Some(stored));
        db.execute("ALTER USER ada PASSWORD NULL", &[]).unwrap();
        assert_eq!(db.role("ada").unwrap().unwrap().verifier, None);
        let md5 = "ALTER USER ada PASSWORD 'md5d41d8cd98f00b204e9800998ecf8427e'";
        assert_eq!(db.execute(md5, &[]).unwrap_err().sqlstate(), "0A000");
    }

    #[cfg(not(feature = "passwords"))]
    #[test]
    fn without_cryptography_a_password_is_refused() {
        let db = Database::in_memory().unwrap();
        let refused = db.execute("CREATE USER ada PASSWORD 'secret'", &[]).unwrap_err();
        assert_eq!(refused.sqlstate(), "0A000");
    }
}
